"""What ml_dtypes and gfloat need for the operations of format_benchmark.cpp, as ratios to memcpy in the same run.

One thread, float32, N(0, 1), best of many; the copy is NumPy's of as many bytes, read and written, timed in turn.
"""
import importlib.metadata
import time

import gfloat
import gfloat.formats
import ml_dtypes
import numpy as np

ML_DTYPES = {"e4m3": ml_dtypes.float8_e4m3fn, "e2m1": ml_dtypes.float4_e2m1fn, "e5m2": ml_dtypes.float8_e5m2,
             "e3m2": ml_dtypes.float6_e3m2fn, "bfloat16": ml_dtypes.bfloat16}
GFLOAT = {"e4m3": gfloat.formats.format_info_ocp_e4m3, "e2m1": gfloat.formats.format_info_ocp_e2m1,
          "e5m2": gfloat.formats.format_info_ocp_e5m2, "e3m2": gfloat.formats.format_info_ocp_e3m2,
          "bfloat16": gfloat.formats.format_info_bfloat16}


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(name, count, bytes_moved, work):
    """Prints the speed of `work` and its ratio to a copy. At least three rounds, at least one second."""
    source = np.full(bytes_moved // 2, 1, np.uint8)  # written: zeros would all be read from one page
    target = np.full_like(source, 2)
    rounds, began = [], time.perf_counter()
    while len(rounds) < 3 or time.perf_counter() - began < 1:
        copies = [seconds(lambda: np.copyto(target, source)) for _ in range(3)]  # the first one finds a cold cache
        rounds.append((seconds(work), min(copies)))
    best, best_copy = map(min, zip(*rounds))
    print(f"{name:<48} {count >> 20:>3} Mi {count / best * 1e-9:>8.4f} Gelem/s  {best_copy / best:.3f} of memcpy", flush=True)


def ml_dtypes_rows(x):
    for name, dtype in ML_DTYPES.items():
        codes, values = np.empty(x.shape, dtype), np.empty_like(x)
        width = codes.itemsize

        def quantize():
            np.copyto(codes, x, casting="unsafe")
            np.copyto(values, codes, casting="unsafe")

        measure(f"ml_dtypes quantize/{name}/ties_to_even", x.size, 8 * x.size, quantize)
        measure(f"ml_dtypes encode/{name}/ties_to_even", x.size, (4 + width) * x.size,
                lambda: np.copyto(codes, x, casting="unsafe"))
        measure(f"ml_dtypes decode/{name}", x.size, (4 + width) * x.size,
                lambda: np.copyto(values, codes, casting="unsafe"))


def gfloat_rows(x):
    bits = np.random.default_rng(1).integers(0, 256, x.size)
    for name, info in GFLOAT.items():
        def quantize(mode, **random):
            return gfloat.round_ndarray(info, x, mode, True, **random)

        modes = {"ties_to_even": gfloat.RoundMode.TiesToEven, "ties_to_away": gfloat.RoundMode.TiesToAway,
                 "toward_zero": gfloat.RoundMode.TowardZero}
        for mode_name, mode in modes.items():
            measure(f"gfloat quantize/{name}/{mode_name}", x.size, 8 * x.size, lambda: quantize(mode))
        measure(f"gfloat quantize/{name}/stochastic, 8 given bits", x.size, 8 * x.size,
                lambda: quantize(gfloat.RoundMode.Stochastic, srbits=bits, srnumbits=8))


def main():
    print(", ".join(f"{package} {importlib.metadata.version(package)}" for package in ("ml_dtypes", "gfloat", "numpy")))
    small = np.random.default_rng(1).standard_normal(1 << 20, np.float32)
    for x in (small, np.tile(small, 64)):
        ml_dtypes_rows(x)
    gfloat_rows(small)  # far from the speed of memory at any size


if __name__ == "__main__":
    main()
