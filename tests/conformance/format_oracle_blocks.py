"""Our block scales against the same in numpy, with ml_dtypes' elements, bit for bit."""

import ml_dtypes
import numpy as np

from format_oracle_common import differences, ours


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


def check():
    failures = []
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
            failures += differences(f"numpy and ml_dtypes {name} {axis}", got, expected.ravel(), matrix.ravel())
    print(f"ml_dtypes blocks: {2 * (len(mx) + 1)} matrices of {x.size} compared, {len(failures)} comparisons differ")
    return failures
