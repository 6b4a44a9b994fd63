"""bitlaw.quantize from Python against the C++ function in the same process, ml_dtypes' round trip and gfloat.

One thread, float32, N(0, 1), best of many, timed in turn. `out` given: nothing is allocated, as in C++.
"""
import importlib.metadata
import time

import bitlaw
import gfloat
import gfloat.formats
import ml_dtypes
import numpy as np
from bitlaw import _core

FORMATS = {"e4m3": (ml_dtypes.float8_e4m3fn, gfloat.formats.format_info_ocp_e4m3),
           "e2m1": (ml_dtypes.float4_e2m1fn, gfloat.formats.format_info_ocp_e2m1)}
SMALL, LARGE = 16, 1 << 20


def seconds(work, calls=1):
    start = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - start) / calls


def best_of(works, rounds, calls=1):
    """The best time of each of some works, which take turns."""
    times = [[seconds(work, calls) for work in works] for _ in range(rounds)]
    return np.min(times, axis=0)


def inside(format, x, out):
    """The least time of the C++ function alone, of 100 calls in a row."""
    return _core.seconds_of_quantize(bitlaw.Format(format), _core.conversion("ties_to_even", None, None, None, None), x,
                                     out, 100)


def main():
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("ml_dtypes", "gfloat", "numpy"))
    print(f"bitlaw {_core.commit}, {versions}")
    random = np.random.default_rng(1)
    for format, (kind, info) in FORMATS.items():
        x, out = random.standard_normal(SMALL, np.float32), np.empty(SMALL, np.float32)
        (call, call_out), own = best_of([lambda: bitlaw.quantize(x, format),
                                         lambda: bitlaw.quantize(x, format, out=out)], 200, 200), inside(format, x, out)
        print(f"{format}: a call on {SMALL} numbers {1e6 * call:.2f} us, with out {1e6 * call_out:.2f} us; in C++ "
              f"{1e6 * own:.2f} us; so Python adds {1e6 * (call - own):.2f} us")
        x, out = random.standard_normal(LARGE, np.float32), np.empty(LARGE, np.float32)
        works = [lambda: bitlaw.quantize(x, format, out=out), lambda: bitlaw.quantize(x, format),
                 lambda: x.astype(kind).astype(np.float32)]
        rounds = [(best_of(works, 5), inside(format, x, out)) for _ in range(20)]
        call_out, call, theirs = np.min([times for times, _ in rounds], axis=0)
        own = min(own for _, own in rounds)
        slow = best_of([lambda: gfloat.round_ndarray(info, x, gfloat.RoundMode.TiesToEven, True)], 3)[0]
        print(f"{format}: 2^20 numbers, with out {1e-9 * LARGE / call_out:.2f} G/s, {own / call_out:.3f} of C++; new array "
              f"{1e-9 * LARGE / call:.2f} G/s; {theirs / call_out:.1f} x ml_dtypes (new array {theirs / call:.1f} x), "
              f"{slow / call_out:.0f} x gfloat (new array {slow / call:.0f} x)")


if __name__ == "__main__":
    main()
