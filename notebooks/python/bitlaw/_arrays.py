"""What comes in as an array, and goes out as one of the same kind."""

from __future__ import annotations

import math
import operator
from typing import Any, Callable, Optional, Union

import numpy as np

Key = Union[int, tuple[int, ...]]
Stream = tuple[int, int, int, int]
NO_STREAM: Stream = (0, 0, 0, 0)
_KEY_PARTS = (("seed", 64), ("step", 32), ("layer", 16), ("slot", 16))
Back = Optional[Callable[[np.ndarray], Any]]


def take(x: Any) -> tuple[np.ndarray, Back]:
    """x as a NumPy array in C order, not copied where it is one, and what turns a result into x's kind (None: nothing).

    Tensors of PyTorch and arrays of JAX on the CPU are shared by DLPack. Everything else goes through numpy.asarray.
    """
    if type(x) is np.ndarray:
        return (x if x.flags.c_contiguous else np.asarray(x, order="C")), None
    library = type(x).__module__.partition(".")[0]
    if library == "torch":
        return _take_torch(x)
    if library in ("jax", "jaxlib"):
        return _take_jax(x)
    return np.asarray(x, order="C"), None


def _take_torch(x: Any) -> tuple[np.ndarray, Back]:
    import torch

    if x.device.type != "cpu":
        raise ValueError(f"x: is on {x.device}, but numbers are rounded on the CPU; move it, x.cpu()")
    x = x.detach().contiguous()
    if x.dtype is torch.bfloat16:  # which DLPack has and NumPy has not
        import ml_dtypes

        shared = np.from_dlpack(x.view(torch.int16)).view(ml_dtypes.bfloat16)
    else:
        shared = np.from_dlpack(x)

    def back(result: np.ndarray) -> Any:
        if result.dtype.name == "bfloat16":
            return torch.from_dlpack(result.view(np.int16)).view(torch.bfloat16)
        return torch.from_dlpack(result)

    return shared, back


def _take_jax(x: Any) -> tuple[np.ndarray, Back]:
    import jax.numpy

    return np.asarray(x, order="C"), jax.numpy.asarray  # shared where it is on the CPU


def numbers(x: np.ndarray) -> np.ndarray:
    """x as the library takes it: bfloat16, which NumPy does not know itself, as its bits. ValueError for other types."""
    kind = x.dtype
    if kind == np.float32 or kind == np.float64 or kind == np.float16:
        return x
    if kind.name == "bfloat16":
        return x.view(np.uint16)
    raise ValueError(
        f"x: holds {kind}, which is not rounded here; use float32, float64, float16 or bfloat16, for example "
        "x.astype('float32')")


def float32(x: np.ndarray, name: str, why: str) -> np.ndarray:
    if x.dtype == np.float32:
        return x
    raise ValueError(f"{name}: holds {x.dtype}, but {why} float32; convert it, {name}.astype('float32')")


def result_like(x: np.ndarray, out: Optional[np.ndarray]) -> np.ndarray:
    """An array for the result, or `out` after a look at it."""
    if out is None:
        return np.empty(x.shape, x.dtype)
    if not isinstance(out, np.ndarray) or out.dtype != x.dtype or out.shape != x.shape:
        raise ValueError(f"out: has to be a NumPy array like x, {x.dtype} {list(x.shape)}; leave it out for a new one")
    if not (out.flags.c_contiguous and out.flags.writeable):
        raise ValueError("out: is not writeable or not in C order, so it cannot be written to; leave it out")
    return out


def whole(name: str, number: Any, least: int, most: int) -> int:
    """An argument that counts something, as an int. ValueError for another, or one that is not from least to most."""
    try:
        value = operator.index(number)
    except TypeError:
        raise ValueError(f"{name}={number!r}: is no whole number; write one from {least} to {most}") from None
    if not least <= value <= most:
        raise ValueError(f"{name}={value}: is not from {least} to {most}")
    return value


def stream(key: Optional[Key], needed: bool, why: str) -> Stream:
    """The random stream (seed, step, layer, slot) of a key: a seed, or the first so many of these four.

    `why`: what takes the random numbers, or does not.
    """
    if key is None:
        if needed:
            raise ValueError(
                f"{why}: key is missing, so nothing says which random numbers to take; add for example key=1, another "
                "for each array")
        return NO_STREAM
    if not needed:
        raise ValueError(f"key={key}: {why} takes no random numbers, so it would be ignored; drop it")
    parts = key if isinstance(key, tuple) else (key,)
    if not 1 <= len(parts) <= 4:
        raise ValueError(f"key={key}: has {len(parts)} parts; write a seed or (seed, step, layer, slot)")
    whole = []
    for (name, bits), part in zip(_KEY_PARTS, parts):
        try:
            number = operator.index(part)
        except TypeError:
            raise ValueError(f"key={key}: {name} is {part!r}, which is no integer; write a seed such as key=1") from None
        if not 0 <= number < 1 << bits:
            raise ValueError(f"key={key}: {name} is {number}, not an integer from 0 to 2^{bits} - 1")
        whole.append(number)
    return tuple(whole + [0] * (4 - len(whole)))  # type: ignore[return-value]


def matrix(shape: tuple[int, ...], axis: int) -> tuple[int, int, bool]:
    """An array as a matrix whose blocks lie along `axis`: rows, columns, and whether they go down the columns."""
    if not shape:
        return 1, 1, False
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"axis={axis}: the array has {len(shape)} axes; use -1, the last, or 0, the first")
    axis %= len(shape)
    if axis == len(shape) - 1:
        return math.prod(shape[:-1]), shape[-1], False
    if axis == 0:
        return shape[0], math.prod(shape[1:]), True
    raise ValueError(
        f"axis={axis}: blocks lie along the last axis or the first; move it, numpy.moveaxis(x, {axis}, -1)")
