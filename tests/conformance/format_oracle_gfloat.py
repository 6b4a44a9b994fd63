"""Our roundings against gfloat, bit for bit: every mode that it has, P3109 formats by name.

From float32 they saturate, from float64 they overflow by direction. gfloat's Stochastic is IEEE P3109's StochasticC,
StochasticFast its B and StochasticFastest its A. It has no rounding to odd. Excluded, because gfloat has no answer:
negative numbers in unsigned formats; NaN, and overflow without saturation, in formats without NaN. Also: A and B from
float64, where its sum f + R 2^-k is rounded to a float64 and may reach 1.
"""

import multiprocessing
import os

import gfloat
import gfloat.formats
import numpy as np
from gfloat import Domain, RoundMode, Signedness

from format_oracle_common import code_dtype, conversion, critical_points, differences, ours, split

MODES = {
    "ties_to_even": RoundMode.TiesToEven, "ties_to_away": RoundMode.TiesToAway, "toward_zero": RoundMode.TowardZero,
    "toward_positive": RoundMode.TowardPositive, "toward_negative": RoundMode.TowardNegative,
    "stochastic_a": RoundMode.StochasticFastest, "stochastic_b": RoundMode.StochasticFast,
    "stochastic_c": RoundMode.Stochastic,
}
RANDOM_BITS = 7
SOME_POINTS = 4000


def infos():
    formats = gfloat.formats
    found = {
        "e4m3": formats.format_info_ocp_e4m3, "e5m2": formats.format_info_ocp_e5m2,
        "e3m2": formats.format_info_ocp_e3m2, "e2m3": formats.format_info_ocp_e2m3,
        "e2m1": formats.format_info_ocp_e2m1, "bfloat16": formats.format_info_bfloat16,
        "binary16": formats.format_info_binary16, "mxint8": formats.format_info_ocp_int8,
    }
    for bits in range(3, 9):
        for sign, domain in (s + d for s in "su" for d in "ef"):
            for precision in range(1, bits + (sign == "u")):
                info = formats.format_info_p3109(bits, precision, Signedness.Signed if sign == "s" else
                                                 Signedness.Unsigned, Domain.Extended if domain == "e" else
                                                 Domain.Finite)
                found[f"binary{bits}p{precision}{sign}{domain}"] = info
    return found


def their_values(info):
    with np.errstate(all="ignore"):
        return gfloat.decode_ndarray(info, np.arange(2**info.k, dtype=np.int64)).astype(np.float64)


def inputs(values, info, dtype):
    """Critical points, thinned out evenly where a format has many."""
    x = critical_points(values, dtype)
    x = x[:: max(1, x.size // SOME_POINTS)]
    if not info.is_signed:
        x = x[~np.signbit(x)]
    return x if info.num_nans else x[~np.isnan(x)]


def random_bits(mode, count):
    if not mode.startswith("stochastic"):
        return {}
    bits = ours("random", RANDOM_BITS, count, dtype=np.uint32)
    return {"srbits": bits.astype(np.int64), "srnumbits": RANDOM_BITS}


def check_mode(name, info, values, mode, dtype, overflow):
    """The differences of quantize and encode, and how many inputs were compared."""
    x = inputs(values, info, dtype)
    words = conversion(mode, RANDOM_BITS if mode.startswith("stochastic") else 0, overflow=overflow)
    output = ours("quantize", name, *words, np.dtype(dtype).name, data=x.tobytes(), dtype=np.uint8)
    got, codes = split(output, x.size, dtype, code_dtype(values.size))
    with np.errstate(all="ignore"):
        expected = gfloat.round_ndarray(info, x.astype(np.float64), MODES[mode], overflow == "saturate",
                                        **random_bits(mode, x.size))
    what = f"gfloat {mode} {overflow} {name} {np.dtype(dtype).name}"
    found = differences(f"{what} quantize", got.astype(np.float64), expected, x)
    return found + differences(f"{what} encode", values[codes], expected, x), x.size


def check_format(task):
    name, info = task
    values = ours("codes", name, dtype=np.float64)
    found, count = differences(f"gfloat codes {name}", values, their_values(info), np.arange(values.size)), 0
    for mode in MODES:
        choices = [(np.float32, "saturate")]
        if mode not in ("stochastic_a", "stochastic_b"):
            choices.append((np.float64, "by_direction" if info.num_nans else "saturate"))
        for dtype, overflow in choices:
            different, size = check_mode(name, info, values, mode, dtype, overflow)
            found += different
            count += size
    return found, count


def check():
    failures, total, formats = [], 0, infos()
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for found, count in pool.imap(check_format, formats.items()):
            failures += found
            total += count
    print(f"gfloat: {total} roundings to {len(formats)} formats compared, {len(failures)} comparisons differ")
    return failures
