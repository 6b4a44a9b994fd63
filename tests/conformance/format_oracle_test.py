"""Our formats, roundings and block scales against ml_dtypes and gfloat, bit for bit.

    format_oracle_test.py QUANTIZE_STREAM

Exit code 77 (skipped) where the interpreter has neither package. Both: pip install ml_dtypes gfloat
"""

import subprocess
import sys

try:
    import numpy as np
except ImportError:
    print("SKIP: this Python has no numpy")
    sys.exit(77)
try:
    import ml_dtypes
except ImportError:
    ml_dtypes = None
try:
    import gfloat
    import gfloat.formats
except ImportError:
    gfloat = None

PROGRAM = sys.argv[1]
failures = []


def ours(*arguments, data=b"", dtype=np.float32):
    run = subprocess.run([PROGRAM, *map(str, arguments)], input=data, capture_output=True, check=False)
    if run.returncode != 0:
        sys.exit(f"{PROGRAM} {arguments}: {run.stderr.decode()}")
    return np.frombuffer(run.stdout, dtype)


def same(got, expected):
    """Equal values with equal signs of zero; all NaNs are one."""
    return (np.isnan(got) & np.isnan(expected)) | ((got == expected) & (np.signbit(got) == np.signbit(expected)))


def report(what, got, expected, inputs):
    wrong = np.flatnonzero(~same(got, expected))
    print(f"{what}: {got.size} compared, {wrong.size} differ")
    if wrong.size:
        i = wrong[0]
        failures.append(f"{what}: {inputs[i]!r} -> ours {got[i]!r}, theirs {expected[i]!r}")


def inputs_for(values):
    """Values, midpoints, both float32 neighbours of each, random float32 bit patterns, specials."""
    magnitudes = np.unique(values[np.isfinite(values) & (values >= 0)])
    beyond = 2 * magnitudes[-1] - magnitudes[-2]
    middle = (magnitudes + np.append(magnitudes[1:], beyond)) / 2
    points = np.concatenate([magnitudes, middle, [beyond]])
    points = points[points < 3e38].astype(np.float32)
    near = np.concatenate([points, np.nextafter(points, np.float32(0)), np.nextafter(points, np.float32(np.inf))])
    random = np.random.default_rng(1)
    patterns = random.integers(0, 2**32, 200_000, dtype=np.uint32).view(np.float32)
    low, high = np.log2(magnitudes[magnitudes > 0][[0, -1]])
    logs = np.exp2(random.uniform(low - 3, min(high + 2, 127), 200_000)).astype(np.float32)
    special = np.float32([0, np.inf, np.nan, 1e-45, 1.1754942e-38, 3.4028235e38])
    x = np.concatenate([near, special, logs])
    return np.concatenate([x, -x, patterns[np.isfinite(patterns)]]).astype(np.float32)


def check_ml_dtypes():
    types = {
        "bfloat16": "bfloat16", "binary16": "float16", "e4m3": "float8_e4m3fn", "e5m2": "float8_e5m2",
        "e4m3_ieee": "float8_e4m3", "e3m4": "float8_e3m4", "e4m3fnuz": "float8_e4m3fnuz",
        "e5m2fnuz": "float8_e5m2fnuz", "e4m3b11fnuz": "float8_e4m3b11fnuz", "e3m2": "float6_e3m2fn",
        "e2m3": "float6_e2m3fn", "e2m1": "float4_e2m1fn", "e8m0": "float8_e8m0fnu",
    }
    for name, theirs in types.items():
        dtype = np.dtype(getattr(ml_dtypes, theirs, None) or theirs)
        values = ours("codes", name, dtype=np.float64)
        codes = np.arange(values.size, dtype=np.uint16 if values.size > 256 else np.uint8)
        with np.errstate(all="ignore"):
            report(f"ml_dtypes codes {name}", values, codes.view(dtype).astype(np.float64), codes)
        x = inputs_for(values)
        if name in ("e2m1", "e3m2", "e2m3"):
            x = x[~np.isnan(x)]  # they have no NaN: ml_dtypes makes it a zero, we keep it
        if name == "e8m0":
            # Theirs goes up at ties (P3109 and ours: to the even code); zero, negative and tiny inputs become NaN.
            x = x[(x >= np.float32(2.0**-126)) & (x < np.float32(2.0**127)) & (np.frexp(x)[0] != 0.75)]
        with np.errstate(all="ignore"):
            expected = x.astype(dtype).astype(np.float32)
        report(f"ml_dtypes nearest {name}", ours("quantize", name, "nearest", "infinity", data=x.tobytes()), expected, x)


def check_gfloat():
    formats = gfloat.formats
    types = {
        "e4m3": formats.format_info_ocp_e4m3, "e5m2": formats.format_info_ocp_e5m2,
        "e3m2": formats.format_info_ocp_e3m2, "e2m3": formats.format_info_ocp_e2m3,
        "e2m1": formats.format_info_ocp_e2m1, "bfloat16": formats.format_info_bfloat16,
        "binary16": formats.format_info_binary16,
    }
    for name, info in types.items():
        values = ours("codes", name, dtype=np.float64)
        x = inputs_for(values)
        x = x[np.isfinite(x)]
        x = np.concatenate([x[:6000], x[:: max(1, x.size // 60000)]])
        k = 23 - (info.precision - 1)
        bits = (ours("bits", x.size, dtype=np.uint32) >> np.uint32(32 - k)).astype(np.int64)
        for rounding, mode in (("nearest", gfloat.RoundMode.TiesToEven), ("toward_zero", gfloat.RoundMode.TowardZero),
                               ("stochastic", gfloat.RoundMode.Stochastic)):
            extra = {"srbits": bits, "srnumbits": k} if rounding == "stochastic" else {}
            with np.errstate(all="ignore"):
                expected = gfloat.round_ndarray(info, x.astype(np.float64), mode, True, **extra)
            got = ours("quantize", name, rounding, "saturate", data=x.tobytes()).astype(np.float64)
            report(f"gfloat {rounding} {name}", got, expected, x)


def blocks_of(x, size):
    """[rows, cols] -> [rows, blocks, size], padded with zeros."""
    rows, cols = x.shape
    padded = np.zeros((rows, -(-cols // size) * size), np.float32)
    padded[:, :cols] = x
    return padded.reshape(rows, -1, size)


def cast(x, dtype, largest):
    return np.clip(x, -largest, largest).astype(dtype).astype(np.float32)


def mx_expected(x, dtype, largest, emax):
    blocks = blocks_of(x, 32)
    amax = np.abs(blocks).max(axis=-1, keepdims=True).astype(np.float64)
    exponent = np.clip(np.where(amax > 0, np.frexp(amax)[1] - 1 - emax, -127), -127, 127)
    scale = np.ldexp(1.0, exponent)
    q = cast((blocks / scale).astype(np.float32), dtype, largest)
    return (q * scale).astype(np.float32).reshape(x.shape[0], -1)[:, : x.shape[1]]


def nvfp4_expected(x):
    f = np.float32
    encode = f(2688) / np.abs(x).max()
    blocks = blocks_of(x, 16)
    amax = np.abs(blocks).max(axis=-1, keepdims=True)
    scale = cast(amax / f(6) * encode, ml_dtypes.float8_e4m3fn, 448)
    with np.errstate(all="ignore"):
        multiplier = np.minimum(encode / scale, np.finfo(f).max)
        q = cast(blocks * multiplier, ml_dtypes.float4_e2m1fn, 6)
    return (q * (scale * (f(1) / encode))).reshape(x.shape[0], -1)[:, : x.shape[1]]


def check_blocks():
    random = np.random.default_rng(2)
    x = (random.standard_normal((257, 331)) * np.exp2(random.integers(-12, 12, (257, 331)))).astype(np.float32)
    x[3, :64] = 0
    mx = {
        "mxfp4": (ml_dtypes.float4_e2m1fn, 6, 2), "mxfp6_e2m3": (ml_dtypes.float6_e2m3fn, 7.5, 2),
        "mxfp6_e3m2": (ml_dtypes.float6_e3m2fn, 28, 4), "mxfp8": (ml_dtypes.float8_e4m3fn, 448, 8),
        "mxfp8_e5m2": (ml_dtypes.float8_e5m2, 57344, 15),
    }
    for name in [*mx, "nvfp4"]:
        for axis, matrix in (("cols", x), ("rows", np.ascontiguousarray(x.T))):
            expected = nvfp4_expected(x) if name == "nvfp4" else mx_expected(x, *mx[name])
            expected = expected if axis == "cols" else expected.T
            got = ours("blocks", name, axis, *matrix.shape, data=matrix.tobytes())
            report(f"numpy and ml_dtypes {name} {axis}", got, expected.ravel(), matrix.ravel())


if ml_dtypes is None and gfloat is None:
    print("SKIP: this Python has neither ml_dtypes nor gfloat")
    sys.exit(77)
if ml_dtypes is not None:
    check_ml_dtypes()
    check_blocks()
if gfloat is not None:
    check_gfloat()
for failure in failures:
    print("FAILED", failure)
sys.exit(1 if failures else 0)
