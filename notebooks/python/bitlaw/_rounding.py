"""Rounding to number formats, and their codes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Optional, Union

import numpy as np

from bitlaw import _core
from bitlaw._arrays import Key, float32, matrix, numbers, result_like, stream, take, whole
from bitlaw._core import Block, Format, Packed

Storage = Union[str, Format, Block]
_MOST_PACKED_BITS = 8
_MOST_SIZE = 2**31 - 1


def formats() -> list[Format]:
    """The catalog: every format with a name of its own. Patterns such as "e3m2:bias=5" are formats besides.

    >>> [f.name for f in bitlaw.formats() if f.bits == 4]
    ['e2m1', 'e1m2', 'e3m0', 'int4', 'nf4']
    """
    return [Format(name) for name in _core.catalog_names()]


def block_presets() -> list[str]:
    """The names of blocks that share scales: what quantize, encode and Block take.

    >>> bitlaw.block_presets()[:3]
    ['mxfp4', 'mxfp6_e2m3', 'mxfp6_e3m2']
    """
    return list(_core.block_preset_names())


@lru_cache(maxsize=1024)
def _named(name: str) -> Union[Format, Block]:
    if name not in _core.block_preset_names():
        return Format(name)
    if name in _core.catalog_names():
        raise ValueError(
            f"format '{name}': is both a number format and a preset of blocks; write bitlaw.Format('{name}') or "
            f"bitlaw.Block('{name}')")
    return Block(name)


def _storage(storage: Storage) -> Union[Format, Block]:
    found = _named(storage) if isinstance(storage, str) else storage
    if isinstance(found, Format):
        _core.check_rounds(found)
    elif not isinstance(found, Block):
        raise ValueError(f"format: is {type(found).__name__}; give a name, a bitlaw.Format or a bitlaw.Block")
    return found


@lru_cache(maxsize=1024)
def _conversion(rounding: str, bits: Optional[int], overflow: Optional[str], nan: Optional[str],
                power_ties: Optional[str]) -> _core.Conversion:
    return _core.conversion(rounding, bits, overflow, nan, power_ties)


def _check_idle(block: Block, overflow: Optional[str], nan: Optional[str]) -> None:
    """What would be ignored beside blocks."""
    for name, value in (("overflow", overflow), ("nan", nan)):
        if value is not None:
            raise ValueError(
                f"{name}='{value}': {block!r} saturates, and a block with a NaN becomes NaN throughout, so it would be "
                "ignored; drop it")


def _check_idle_axis(axis: int, storage: Format) -> None:
    if axis != -1:
        raise ValueError(
            f"axis={axis}: {storage.name} rounds each number by itself, so it would be ignored; drop it, or give a "
            "bitlaw.Block")


def _check_threads(threads: int) -> None:
    if threads < 1:
        raise ValueError(f"threads={threads}: at least one thread is needed")


def quantize(x: Any, format: Storage, *, rounding: str = "ties_to_even", bits: Optional[int] = None,
             key: Optional[Key] = None, overflow: Optional[str] = None, nan: Optional[str] = None,
             power_ties: Optional[str] = None, axis: int = -1, out: Optional[np.ndarray] = None,
             threads: int = 1) -> Any:
    """x rounded to a format: the values that it can hold, in x's own type ("fake quantization").

    x: any shape; float32, float64, float16 or bfloat16 (ml_dtypes), nothing of which goes through a third format. Arrays
    that are not in C order are copied. PyTorch and JAX arrays on the CPU give such arrays.
    format: a name, a Format, or for elements that share scales a Block or the name of a preset; these take float32.
    rounding: ties_to_even ("nearest"), ties_to_away, ties_toward_zero, toward_zero, toward_positive, toward_negative,
    to_odd, stochastic_exact ("stochastic"); stochastic_a, stochastic_b, stochastic_c with `bits` random bits, 1 to 32
    (IEEE 754-2019 4.3, IEEE P3109 v4.0 4.7.4; core/format/rounding.h).
    key: of stochastic roundings: a seed, or (seed, step, layer, slot). Element i takes random number i of the key, so
    equal keys give equal results, whatever the threads and the machine.
    overflow: saturate (default), propagate, infinity, by_direction. nan: propagate (default), zero, max.
    power_ties: even_code (default), larger, logarithmic; in formats without fraction bits.
    axis: along which blocks lie, the one that a matrix product sums over: the last or the first.
    out: a NumPy array of x's shape and type to write to; may be x.
    threads: the result does not depend on them. Blocks whose scales depend on each other take one.

    Error, to nearest and below the largest value: half an ulp, bitlaw.Format(format).ulp(x) / 2.

    ValueError: an unknown name, with the nearest; what would be ignored; NaN or infinity never is one.

    >>> bitlaw.quantize(np.float32([0.3, -1.7, 5.1, 100]), "e2m1")
    array([ 0.5, -1.5,  6. ,  6. ], dtype=float32)
    >>> bitlaw.quantize(np.full(100000, 3.3), "e4m3", rounding="stochastic", key=1).mean().round(2)
    np.float64(3.3)
    >>> bitlaw.quantize(np.float32([0.1, 100]), "nvfp4")  # two numbers of a block of 16: the small one is lost
    array([  0., 100.], dtype=float32)
    """
    array, back = take(x)
    storage = _storage(format)
    conversion = _conversion(rounding, bits, overflow, nan, power_ties)
    random = stream(key, conversion.is_stochastic, f"rounding='{rounding}'")
    _check_threads(threads)
    if isinstance(storage, Block):
        _check_idle(storage, overflow, nan)
        float32(array, "x", "blocks are scaled in")
        result = result_like(array, out)
        _core.quantize_blocks_into(storage, conversion, array, *matrix(array.shape, axis), result, random, threads)
    else:
        _check_idle_axis(axis, storage)
        result = result_like(array, out)
        _core.quantize_into(storage, conversion, numbers(array), numbers(result), random, threads)
    return result if back is None else back(result)


def encode(x: Any, format: Storage, *, rounding: str = "ties_to_even", bits: Optional[int] = None,
           key: Optional[Key] = None, overflow: Optional[str] = None, nan: Optional[str] = None,
           power_ties: Optional[str] = None, axis: int = -1, threads: int = 1) -> Any:
    """The codes of what x rounds to: decode(encode(x, f), f) is quantize(x, f), bit for bit.

    Of a Format: unsigned integers of the least width that holds them, uint8 to uint64, x's shape. Of a Block: Packed.
    The rest as in quantize; bitlaw.pack leaves no gaps. ValueError also where a NaN has no code, with the element.

    >>> bitlaw.encode([0.5, -6.0], "e2m1")
    array([ 1, 15], dtype=uint8)
    >>> bitlaw.encode(np.ones((2, 32), np.float32), "nvfp4").scales
    array([[126, 126],
           [126, 126]], dtype=uint8)
    """
    array, _ = take(x)
    storage = _storage(format)
    conversion = _conversion(rounding, bits, overflow, nan, power_ties)
    random = stream(key, conversion.is_stochastic, f"rounding='{rounding}'")
    if isinstance(storage, Block):
        _check_idle(storage, overflow, nan)
        if threads != 1:
            raise ValueError(f"threads={threads}: blocks are packed on one thread, so it would be ignored; drop it")
        float32(array, "x", "blocks are scaled in")
        return _core.pack(storage, conversion, array, list(array.shape), *matrix(array.shape, axis), random)
    _check_idle_axis(axis, storage)
    _check_threads(threads)
    codes = np.empty(array.shape, _code_type(storage.bits))
    _core.encode_into(storage, conversion, numbers(array), codes, random, threads)
    return codes


def decode(codes: Any, format: Optional[Storage] = None, *, dtype: Any = None, threads: int = 1) -> np.ndarray:
    """The values of codes: those of encode, or any integers from 0 to 2^bits - 1.

    dtype: float32, which holds every format but a few, where it does, else float64; or what is asked, to which a value
    is then rounded, ties to even. Of a Packed, which knows its Block: float32 of the shape that was encoded.
    ValueError for a code without a value, with the element.

    >>> bitlaw.decode(np.uint8([0x7e, 0x7f, 0x38]), "e4m3")
    array([448.,  nan,   1.], dtype=float32)
    """
    if isinstance(codes, Packed):
        if format is not None or dtype is not None:
            raise ValueError("decode: packed blocks know their format and give float32; drop format and dtype")
        out = np.empty(codes.shape, np.float32)
        _core.unpack_blocks_into(codes, out)
        return out
    if format is None:
        raise ValueError("decode: format is missing, so the codes have no values; add for example 'e4m3'")
    storage = _storage(format)
    if isinstance(storage, Block):
        raise ValueError("decode: codes of blocks have no value without their scales; give bitlaw.packed(...)")
    _check_threads(threads)
    array = np.asarray(codes, order="C")
    kind = _code_type(storage.bits)
    if array.dtype != kind:
        if array.dtype.kind not in "iu":
            raise ValueError(f"codes: are {array.dtype}; give unsigned integers, for example codes.astype('uint8')")
        top = np.iinfo(kind).max
        if array.size and (int(array.min()) < 0 or int(array.max()) > top):
            raise ValueError(f"codes: {storage.name} has the codes 0 to 2^{storage.bits} - 1, and some lie outside")
        array = array.astype(kind)
    out = np.empty(array.shape, dtype if dtype is not None else _value_type(storage))
    _core.decode_into(storage, array, numbers(out), threads)
    return out


def _code_type(bits: int) -> Any:
    return np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32 if bits <= 32 else np.uint64


def _value_type(storage: Format) -> Any:
    """float32 where it holds all values."""
    single = np.finfo(np.float32)
    mantissa = storage.mantissa_bits
    if mantissa is None:
        return np.float32  # lists are float32
    fits = (mantissa <= 23 and storage.max <= single.max and -storage.least <= 2.0**127
            and storage.min_positive >= single.smallest_subnormal)
    return np.float32 if fits else np.float64


def pack(codes: Any, bits: int, *, order: str = "low_first") -> np.ndarray:
    """Codes of 1 to 8 bits without gaps: uint8 [ceil(size bits / 8)].

    order: low_first, the first code in the low bits of the first byte (PyTorch's float4_e2m1fn_x2, NVIDIA's PTX), or
    high_first. ValueError for a code of more bits, and where bits are not 1 to 8.

    >>> bitlaw.pack(np.uint8([1, 15, 3]), 4)
    array([241,   3], dtype=uint8)
    """
    array = np.asarray(codes, order="C")
    if array.dtype != np.uint8:
        raise ValueError(f"codes: are {array.dtype}; give uint8, for example codes.astype('uint8')")
    bits = whole("bits", bits, 1, _MOST_PACKED_BITS)
    packed_codes = np.empty(_core.packed_size(array.size, bits), np.uint8)
    _core.pack_into(array, bits, order, packed_codes)
    return packed_codes


def unpack(packed_codes: Any, bits: int, count: int, *, order: str = "low_first") -> np.ndarray:
    """The inverse of pack: `count` codes, uint8. ValueError where they do not take as many bytes.

    >>> bitlaw.unpack(np.uint8([241, 3]), 4, 3)
    array([ 1, 15,  3], dtype=uint8)
    """
    array = np.asarray(packed_codes, order="C")
    if array.dtype != np.uint8:
        raise ValueError(f"packed: is {array.dtype}; give the uint8 that bitlaw.pack gave")
    bits = whole("bits", bits, 1, _MOST_PACKED_BITS)
    codes = np.empty(whole("count", count, 0, 8 * array.size), np.uint8)  # of one bit at least
    _core.unpack_into(array, bits, order, codes)
    return codes


def packed(block: Union[str, Block], codes: np.ndarray, scales: np.ndarray, shape: tuple[int, ...], *,
           tensor_scale: Optional[float] = None, axis: int = -1) -> Packed:
    """A Packed from arrays that were stored: the codes, scales and tensor_scale of another one, and the array's shape.
    ValueError where they do not belong together.

    >>> p = bitlaw.encode(np.ones((2, 32), np.float32), "mxfp4")
    >>> q = bitlaw.packed("mxfp4", p.codes, p.scales, (2, 32))
    >>> bool((bitlaw.decode(q) == 1).all())
    True
    """
    storage = _storage(block if not isinstance(block, str) else Block(block))
    if not isinstance(storage, Block):
        raise ValueError(f"block: {storage!r} has no scales; give a bitlaw.Block or its name")
    arrays = [np.ascontiguousarray(array) for array in (codes, scales)]
    if any(array.dtype != np.uint8 for array in arrays):
        raise ValueError("codes and scales: have to be uint8")
    if not isinstance(shape, Iterable):
        raise ValueError(f"shape={shape!r}: is no shape; write the array's, a tuple such as (2, 32)")
    sizes = tuple(whole("shape", size, 0, _MOST_SIZE) for size in shape)
    return _core.packed_of(storage, arrays[0], arrays[1], tensor_scale, list(sizes), *matrix(sizes, axis))
