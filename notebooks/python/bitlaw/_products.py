"""Rotations, and matrix products as hardware adds them up."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Optional, Union

import numpy as np

from bitlaw import _core
from bitlaw._arrays import Key, float32, matrix, result_like, stream, take
from bitlaw._core import Accumulator, Format


def accumulators() -> list[str]:
    """The names of accumulator models; Accumulator takes patterns besides.

    >>> "hopper_fp8" in bitlaw.accumulators()
    True
    """
    return [name for name, _ in _core.accumulators()]


_accumulator = lru_cache(maxsize=1024)(Accumulator)


def gemm(a: Any, b: Any, *, accumulator: Union[str, Accumulator], transpose_b: bool = False, threads: int = 1) -> Any:
    """C = A B as a matrix unit adds it up: every product and sum as `accumulator` rounds it.

    a [M, K], b [K, N] (transpose_b: [N, K], which saves a copy), C [M, N], all float32; quantize a and b first. The order
    of the sum over K is part of the model (core/tensor/accumulator.h), so the bits depend on no threads.
    accumulator: one of bitlaw.accumulators(), a pattern, or an Accumulator.

    >>> a, b = np.full((1, 4096), 1, np.float32), np.full((4096, 1), 1, np.float32)
    >>> bitlaw.gemm(a, b, accumulator="sequential:sum=bfloat16")  # 256 + 1 is a tie, and 256 has the even code
    array([[256.]], dtype=float32)
    """
    model = _accumulator(accumulator) if isinstance(accumulator, str) else accumulator
    if threads < 1:
        raise ValueError(f"threads={threads}: at least one thread is needed")
    left, back = take(a)
    right, _ = take(b)
    for name, array in (("a", left), ("b", right)):
        float32(array, name, "the models multiply")
        if array.ndim != 2:
            raise ValueError(f"{name}: has shape {list(array.shape)}, which is no matrix; reshape it")
    columns = np.ascontiguousarray(right if transpose_b else right.T)
    if left.shape[1] != columns.shape[1]:
        raise ValueError(
            f"a: is {list(left.shape)}, so its K is {left.shape[1]}, but b is {list(right.shape)} with K = "
            f"{columns.shape[1]}; K must be equal, b is {'[N, K]' if transpose_b else '[K, N], or [N, K] with transpose_b'}")
    c = np.empty((left.shape[0], columns.shape[0]), np.float32)
    _core.gemm_into(model, left, columns, c, left.shape[0], left.shape[1], columns.shape[0], threads)
    return c if back is None else back(c)


def hadamard(x: Any, size: int = 16, *, signs: str = "random", key: Optional[Key] = None, axis: int = -1,
             inverse: bool = False, result: Union[None, str, Format] = None, out: Optional[np.ndarray] = None) -> Any:
    """x rotated in pieces of `size` numbers along `axis`: signs, then the Walsh-Hadamard matrix over sqrt(size).

    x: float32, any shape; size: a power of two that divides the axis. Products of operands that are rotated alike are
    those of the operands before. signs: random, of `key` (a seed or (seed, step, layer, slot)); fixed, TransformerEngine's
    list for size 16; none. inverse undoes it. result: a format that the results are rounded to, such as "bfloat16".
    Error: (log2(size) + 2) 2^-24 of the piece's sum of magnitudes / sqrt(size).

    >>> bitlaw.hadamard(np.float32([1, 0, 0, 0]), 4, signs="none")
    array([0.5, 0.5, 0.5, 0.5], dtype=float32)
    """
    spec = _core.hadamard_spec(size, signs, Format(result) if isinstance(result, str) else result)
    array, back = take(x)
    float32(array, "x", "rotations compute in")
    random = stream(key, spec.is_random, f"signs='{signs}'")
    rotated = result_like(array, out)
    rows, cols, first = matrix(array.shape, axis)
    _core.hadamard_into(spec, inverse, array, rows, cols, first, rotated, random)
    return rotated if back is None else back(rotated)
