"""Our formats against ml_dtypes and numpy, bit for bit: codes, quantize and encode of float32.

The sample has every value of the format, every midpoint, both float32 neighbours of each, and 2048 random significands
of each sign and exponent. The exhaustive comparison has all 2^32 float32.
"""

import multiprocessing
import os

import ml_dtypes
import numpy as np

from format_oracle_common import code_dtype, conversion, critical_points, differences, ours, split, stratified_bits

PLAIN = conversion()
NAN_TO_ZERO = conversion(nan="zero")  # formats without NaN
LARGER = conversion(ties="larger")
CUT = conversion(rounding="toward_zero", nan="zero")  # as C++ makes integers

TYPES = {
    "binary32": ("float32", PLAIN), "binary16": ("float16", PLAIN), "bfloat16": ("bfloat16", PLAIN),
    "e4m3": ("float8_e4m3fn", PLAIN), "e5m2": ("float8_e5m2", PLAIN), "e4m3_ieee": ("float8_e4m3", PLAIN),
    "e3m4": ("float8_e3m4", PLAIN), "e4m3fnuz": ("float8_e4m3fnuz", PLAIN), "e5m2fnuz": ("float8_e5m2fnuz", PLAIN),
    "e4m3b11fnuz": ("float8_e4m3b11fnuz", PLAIN), "e8m0": ("float8_e8m0fnu", LARGER),
    "e3m2": ("float6_e3m2fn", NAN_TO_ZERO), "e2m3": ("float6_e2m3fn", NAN_TO_ZERO),
    "e2m1": ("float4_e2m1fn", NAN_TO_ZERO), "int2": ("int2", CUT), "int4": ("int4", CUT), "int8": ("int8", CUT),
}
CHUNK = 1 << 22


def their_dtype(name):
    theirs = TYPES[name][0]
    return np.dtype(getattr(ml_dtypes, theirs, theirs))


def their_values(name, x):
    """The float32 that each x becomes there."""
    with np.errstate(all="ignore"):
        expected = x.astype(their_dtype(name)).astype(np.float32)
    if TYPES[name][1] == NAN_TO_ZERO:
        expected[np.isnan(x)] = 0  # theirs is -0 for NaN and +0 for -NaN
    return expected


def comparable(name, x):
    """Which inputs have a defined nearest value there."""
    if name == "e8m0":
        return (x <= 2.0**-127) | (x >= 1.5 * 2.0**-127) | np.isnan(x)  # between, theirs goes up to 2^-126
    if name.startswith("int"):
        limit = 2.0 ** (int(name[3:]) - 1)
        return (x > -limit - 1) & (x < limit)  # beyond, and from NaN, theirs is what the processor makes of it
    return slice(None)


def read_by_them(name, codes):
    dtype = their_dtype(name)
    with np.errstate(all="ignore"):
        return codes.view(dtype).astype(np.float32)


def compare(name, x, output):
    """The differences of quantize and of encode, whose codes they read, and how many inputs were compared."""
    values, codes = split(output, x.size, np.float32, f"u{their_dtype(name).itemsize}")
    kept = comparable(name, x)
    x, values, codes = x[kept], values[kept], codes[kept]
    expected = their_values(name, x)
    found = differences(f"ml_dtypes quantize {name}", values, expected, x)
    return found + differences(f"ml_dtypes encode {name}", read_by_them(name, codes), expected, x), x.size


def check_sample(name):
    x, found = stratified_bits(), []
    if name != "binary32":
        values = ours("codes", name, dtype=np.float64)
        codes = np.arange(values.size, dtype=code_dtype(values.size))
        with np.errstate(all="ignore"):
            theirs = read_by_them(name, codes).astype(np.float64)
        found += differences(f"ml_dtypes codes {name}", values, theirs, codes)
        x = np.concatenate([x, critical_points(values, np.float32)])
    output = ours("quantize", name, *TYPES[name][1], "float32", data=x.tobytes(), dtype=np.uint8)
    different, count = compare(name, x, output)
    return found + different, count


def check_chunk(task):
    name, first = task
    x = np.arange(first, first + CHUNK, dtype=np.uint32).view(np.float32)
    output = ours("range", name, *TYPES[name][1], first, CHUNK, dtype=np.uint8)
    return compare(name, x, output)


def check_exhaustively(names):
    """One format at a time, on all processors."""
    failures = []
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for name in names:
            results = list(pool.imap(check_chunk, [(name, first) for first in range(0, 2**32, CHUNK)]))
            found = [line for lines, _ in results for line in lines]
            print(f"ml_dtypes {name}: {sum(count for _, count in results)} of {2**32} float32 compared, "
                  f"{len(found)} chunks of them differ", flush=True)
            failures += found[:2]
    return failures


def check_samples():
    failures = []
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for name, (found, count) in zip(TYPES, pool.imap(check_sample, TYPES)):
            print(f"ml_dtypes {name}: {count} float32 compared, {len(found)} comparisons differ")
            failures += found
    return failures
