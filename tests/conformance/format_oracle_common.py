"""What the comparisons of formats share: our program, its words for a conversion, bit-for-bit comparison, inputs."""

import subprocess
import sys

import numpy as np

PROGRAM = sys.argv[1]


def ours(*arguments, data=b"", dtype=np.float32):
    run = subprocess.run([PROGRAM, *map(str, arguments)], input=data, capture_output=True, check=False)
    if run.returncode != 0:
        sys.exit(f"{PROGRAM} {arguments}: {run.stderr.decode()}")
    return np.frombuffer(run.stdout, dtype)


def conversion(rounding="ties_to_even", bits=0, ties="even_code", overflow="infinity", nan="propagate"):
    return rounding, bits, ties, overflow, nan


def code_dtype(count):
    """The type that our program writes codes in, of which there are `count`."""
    return np.uint8 if count <= 256 else np.uint16 if count <= 65536 else np.uint32


def split(output, count, value_dtype, codes):
    """The quantized values and the codes of `count` elements, from what our program wrote."""
    size = count * np.dtype(value_dtype).itemsize
    return output[:size].view(value_dtype), output[size:].view(codes)


def wrong_elements(got, expected):
    """Where the values differ; zeros of different sign do, all NaNs are one."""
    unsigned = f"u{got.dtype.itemsize}"
    suspects = np.flatnonzero(got.view(unsigned) != expected.view(unsigned))
    return suspects[~(np.isnan(got[suspects]) & np.isnan(expected[suspects]))]


def differences(what, got, expected, inputs):
    """A line of text when not all are equal, as a list."""
    wrong = wrong_elements(np.ascontiguousarray(got), np.ascontiguousarray(expected))
    if wrong.size == 0:
        return []
    i = wrong[0]
    return [f"{what}: {wrong.size} of {got.size} differ, {inputs[i]!r} -> ours {got[i]!r}, theirs {expected[i]!r}"]


def critical_points(values, dtype):
    """Values of a format, their midpoints, both neighbours of each in `dtype`, beyond the largest value, specials."""
    magnitudes = np.unique(values[np.isfinite(values) & (values >= 0)])
    beyond = 2 * magnitudes[-1] - magnitudes[-2]
    middle = (magnitudes + np.append(magnitudes[1:], beyond)) / 2
    points = np.concatenate([magnitudes, middle, [beyond, 2 * beyond]])
    with np.errstate(over="ignore"):
        points = points.astype(dtype)
    points = points[np.isfinite(points)]
    near = np.concatenate([points, np.nextafter(points, dtype(0)), np.nextafter(points, dtype(np.inf))])
    special = np.array([0, np.inf, np.nan, 1e-45, 1.1754942e-38, 3.4028235e38], dtype)
    x = np.concatenate([near, special])
    return np.concatenate([x, -x])


def stratified_bits():
    """2048 random significands in each of the 512 pairs of sign and exponent of float32: 1,048,576 values."""
    random = np.random.default_rng(1)
    significands = random.integers(0, 2**23, (512, 2048), dtype=np.uint32)
    return (significands | (np.arange(512, dtype=np.uint32) << 23)[:, np.newaxis]).ravel().view(np.float32)
