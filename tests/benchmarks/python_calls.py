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


def in_cpp(format, x, out):
    """The C++ function alone, called and timed in C++: its least time of `calls`."""
    conversion = _core.conversion("ties_to_even", None, None, None, None)
    return lambda calls: _core.seconds_of_quantize(bitlaw.Format(format), conversion, x, out, calls)


def main():
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("ml_dtypes", "gfloat", "numpy"))
    print(f"bitlaw {_core.commit}, {versions}")
    random = np.random.default_rng(1)
    rounds = 300
    for format, (kind, info) in FORMATS.items():
        x, out = random.standard_normal(SMALL, np.float32), np.empty(SMALL, np.float32)
        call, call_out = best_of([lambda: bitlaw.quantize(x, format), lambda: bitlaw.quantize(x, format, out=out)],
                                 rounds, 200)
        own = in_cpp(format, x, out)(rounds * 200)
        print(f"{format}: a call on {SMALL} numbers {1e6 * call:.2f} us, with out {1e6 * call_out:.2f} us; in C++ "
              f"{1e6 * own:.2f} us; so Python adds {1e6 * (call - own):.2f} us")
        x, out = random.standard_normal(LARGE, np.float32), np.empty(LARGE, np.float32)
        works = [lambda: bitlaw.quantize(x, format, out=out), lambda: bitlaw.quantize(x, format),
                 lambda: x.astype(kind).astype(np.float32)]
        own = np.inf
        call_out, call, theirs = np.full(3, np.inf)
        for _ in range(rounds):  # in turn, three of each: the machine has other work, and the first finds a cold cache
            own = min(own, in_cpp(format, x, out)(3))
            times = [min(seconds(work) for _ in range(3)) for work in works]
            call_out, call, theirs = np.minimum([call_out, call, theirs], times)
        slow = best_of([lambda: gfloat.round_ndarray(info, x, gfloat.RoundMode.TiesToEven, True)], 3)[0]
        print(f"{format}: 2^20 numbers, with out {1e-9 * LARGE / call_out:.2f} G/s, {own / call_out:.3f} of C++; new array "
              f"{1e-9 * LARGE / call:.2f} G/s; {theirs / call_out:.1f} x ml_dtypes (new array {theirs / call:.1f} x), "
              f"{slow / call_out:.0f} x gfloat (new array {slow / call:.0f} x)")


if __name__ == "__main__":
    main()
