"""bitlaw.quantize, encode and decode against ml_dtypes and gfloat, and as NumPy's users expect them to behave."""

import threading
import time

import bitlaw
import gfloat
import gfloat.formats
import ml_dtypes
import numpy as np
import pytest

RANDOM = np.random.default_rng(5)
X = (RANDOM.standard_normal(20000) * np.exp2(RANDOM.integers(-12, 9, 20000))).astype(np.float32)
CASTS = {"e4m3": ml_dtypes.float8_e4m3fn, "e5m2": ml_dtypes.float8_e5m2, "e2m1": ml_dtypes.float4_e2m1fn,
         "e3m2": ml_dtypes.float6_e3m2fn, "bfloat16": ml_dtypes.bfloat16, "float16": np.float16}
MODES = {"ties_to_even": gfloat.RoundMode.TiesToEven, "ties_to_away": gfloat.RoundMode.TiesToAway,
         "toward_zero": gfloat.RoundMode.TowardZero, "toward_positive": gfloat.RoundMode.TowardPositive,
         "toward_negative": gfloat.RoundMode.TowardNegative}


@pytest.mark.parametrize("name", CASTS)
@pytest.mark.parametrize("kind", [np.float32, np.float16, ml_dtypes.bfloat16])
def test_values_are_those_of_a_cast_with_ml_dtypes(name, kind):
    largest = bitlaw.Format(name).max
    x = np.clip(X, -largest, largest).astype(kind)
    x = x[np.abs(x.astype(np.float32)) <= largest]
    expected = x.astype(np.float32).astype(CASTS[name]).astype(kind)  # exact to float32
    got = bitlaw.quantize(x, name)
    assert got.dtype == x.dtype and got.shape == x.shape
    np.testing.assert_array_equal(got.astype(np.float32), expected.astype(np.float32))


@pytest.mark.parametrize("mode", MODES)
def test_roundings_are_those_of_gfloat(mode):
    info = gfloat.formats.format_info_ocp_e4m3
    x = X[:3000].astype(np.float64)
    with np.errstate(all="ignore"):
        expected = gfloat.round_ndarray(info, x, MODES[mode], True)
    np.testing.assert_array_equal(bitlaw.quantize(x, "e4m3", rounding=mode), expected)


def test_float64_is_not_rounded_by_way_of_float32():
    """1 + 2^-4 + 2^-40 is above the midpoint of E4M3's 1 and 1.125; as float32 it would be the midpoint, and go to 1."""
    assert bitlaw.quantize(np.float64(1 + 2**-4 + 2**-40), "e4m3") == 1.125
    assert bitlaw.quantize(np.float32(1 + 2**-4), "e4m3") == 1


@pytest.mark.parametrize("name", CASTS)
def test_codes_are_the_bits_of_ml_dtypes(name):
    largest = bitlaw.Format(name).max
    x = X[np.abs(X) <= largest]
    codes = bitlaw.encode(x, name)
    theirs = x.astype(CASTS[name])
    np.testing.assert_array_equal(codes, theirs.view(codes.dtype))
    np.testing.assert_array_equal(bitlaw.decode(codes, name), theirs.astype(np.float32))


def test_stochastic_rounding_has_the_right_mean():
    """3.3 lies 0.2 of the way from 3.25 to 3.5; of n = 10^6 the mean is within 5 standard errors, 1 in 1.7 million."""
    q = bitlaw.quantize(np.full(1_000_000, 3.3), "e4m3", rounding="stochastic", key=7)
    assert set(np.unique(q)) == {3.25, 3.5}
    assert abs(q.mean() - 3.3) < 5 * 0.25 * np.sqrt(0.2 * 0.8 / 1e6)


def test_a_key_decides_the_random_numbers():
    def rounded(key, threads=1):
        return bitlaw.quantize(X, "e2m1", rounding="stochastic_a", bits=8, key=key, threads=threads)

    np.testing.assert_array_equal(rounded(1), rounded((1, 0, 0, 0), threads=2))
    for other in (2, (1, 1), (1, 0, 1), (1, 0, 0, 1)):
        assert (rounded(1) != rounded(other)).any()


def test_short_names_are_the_long_ones():
    np.testing.assert_array_equal(bitlaw.quantize(X, "e2m1", rounding="stochastic", key=3),
                                  bitlaw.quantize(X, "e2m1", rounding="stochastic_exact", key=3))
    np.testing.assert_array_equal(bitlaw.quantize(X, "e2m1", rounding="nearest"), bitlaw.quantize(X, "e2m1"))


def test_overflow_and_nan_do_as_asked():
    x = np.float32([1e9, -np.inf, np.nan])
    np.testing.assert_array_equal(bitlaw.quantize(x, "e5m2"), np.float32([57344, -57344, np.nan]))
    np.testing.assert_array_equal(bitlaw.quantize(x, "e5m2", overflow="infinity"), np.float32([np.inf, -np.inf, np.nan]))
    np.testing.assert_array_equal(bitlaw.quantize(x, "e2m1", nan="zero"), np.float32([6, -6, 0]))
    np.testing.assert_array_equal(bitlaw.quantize(x, "e2m1", nan="max"), np.float32([6, -6, 6]))


@pytest.mark.parametrize("view", [lambda x: x[::3], lambda x: x.reshape(100, -1).T, lambda x: x[::-1],
                                  lambda x: x.reshape(2, 50, -1)[:, 7:9, ::2]])
def test_views_give_what_their_copies_give(view):
    x = view(X)
    got = bitlaw.quantize(x, "e4m3")
    assert got.shape == x.shape
    np.testing.assert_array_equal(got, bitlaw.quantize(x.copy(order="C"), "e4m3"))


def test_out_is_written_to_and_may_be_the_input():
    x = X.copy()
    expected = bitlaw.quantize(X, "e4m3")
    assert bitlaw.quantize(x, "e4m3", out=x) is x
    np.testing.assert_array_equal(x, expected)
    read_only = X.copy()
    read_only.flags.writeable = False
    np.testing.assert_array_equal(bitlaw.quantize(read_only, "e4m3"), expected)
    with pytest.raises(ValueError, match="out: is not writeable"):
        bitlaw.quantize(X, "e4m3", out=read_only)
    with pytest.raises(ValueError, match="has to be a NumPy array like x"):
        bitlaw.quantize(X, "e4m3", out=np.empty(3, np.float32))


def test_numbers_lists_and_empty_arrays_are_arrays_too():
    assert bitlaw.quantize(0.3, "e2m1").shape == () and bitlaw.quantize(0.3, "e2m1") == 0.5
    assert bitlaw.quantize([0.3, 5.1], "e2m1").tolist() == [0.5, 6.0]
    assert bitlaw.quantize(np.empty((0, 3), np.float32), "e2m1").shape == (0, 3)
    assert bitlaw.encode(np.empty(0, np.float32), "nvfp4").codes.size == 0


def test_other_threads_of_python_run_during_a_long_call():
    """A counter in another thread goes on while 2^24 numbers are rounded by definition, which takes seconds."""
    counts = []
    done = threading.Event()

    def count():
        while not done.is_set():
            counts.append(time.perf_counter())
            time.sleep(0.001)

    x = np.ones(1 << 21)
    thread = threading.Thread(target=count)
    thread.start()
    start = time.perf_counter()
    bitlaw.quantize(x, "e10m52")  # 52 fraction bits: the definition, element by element
    end = time.perf_counter()
    done.set()
    thread.join()
    assert sum(start < t < end for t in counts) >= 3, f"{end - start:.3f} s"


@pytest.mark.parametrize("call, message", [
    (lambda: bitlaw.quantize(X, "e4m3fnus"), "did you mean 'e4m3fnuz'"),
    (lambda: bitlaw.quantize(X, "nvpf4"), "did you mean 'nvfp4'"),
    (lambda: bitlaw.quantize(X, "ue5m3"), "both a number format and a preset of blocks"),
    (lambda: bitlaw.quantize(X, "e4m3", rounding="tie_to_even"), "rounding=tie_to_even: 'tie_to_even' is not known"),
    (lambda: bitlaw.quantize(X, "e4m3", rounding="stochastic_a", key=1), "bits is missing"),
    (lambda: bitlaw.quantize(X, "e4m3", rounding="stochastic_a", bits=33, key=1), "use 1 to 32"),
    (lambda: bitlaw.quantize(X, "e4m3", rounding="stochastic"), "key is missing"),
    (lambda: bitlaw.quantize(X, "e4m3", key=1), "takes no random numbers, so it would be ignored"),
    (lambda: bitlaw.quantize(X, "e4m3", rounding="stochastic", key=-1), "seed is -1, not an integer from 0"),
    (lambda: bitlaw.quantize(X, "e4m3", rounding="stochastic", key=1.5), "seed is 1.5, which is no integer"),
    (lambda: bitlaw.quantize(X, "e4m3", axis=0), "rounds each number by itself"),
    (lambda: bitlaw.quantize(X, "e4m3", threads=0), "at least one thread"),
    (lambda: bitlaw.encode(X, "nvfp4", threads=2), "on one thread"),
    (lambda: bitlaw.quantize(X, "nvfp4", threads=0), "at least one thread"),
    (lambda: bitlaw.quantize(X, "nvfp4", overflow="infinity"), "it would be ignored"),
    (lambda: bitlaw.quantize(np.arange(3), "e4m3"), "x: holds int64"),
    (lambda: bitlaw.quantize(X.astype(np.float64), "nvfp4"), "blocks are scaled in float32"),
    (lambda: bitlaw.quantize(X, 3), "give a name, a bitlaw.Format or a bitlaw.Block"),
    (lambda: bitlaw.encode(np.float32([1, np.nan]), "e2m1"), "element 1"),
    (lambda: bitlaw.decode(np.uint8([3, 16]), "e2m1"), "codes: element 1 is 16"),
    (lambda: bitlaw.decode(np.array([-1]), "e2m1"), "some lie outside"),
    (lambda: bitlaw.decode(np.uint8([1]), "nvfp4"), "without their scales"),
    (lambda: bitlaw.pack(np.uint8([16]), 4), "more than 4 bits"),
    (lambda: bitlaw.unpack(np.uint8([16]), 4, 5), "5 codes of 4 bits take 3"),
    (lambda: bitlaw.pack(np.uint8([1]), 9), "bits=9: is not from 1 to 8"),
    (lambda: bitlaw.pack(np.uint8([1]), 2**40), "is not from 1 to 8"),
    (lambda: bitlaw.pack(np.uint8([1]), "4"), "bits='4': is no whole number"),
    (lambda: bitlaw.unpack(np.uint8([16]), 4.0, 2), "bits=4.0: is no whole number"),
    (lambda: bitlaw.unpack(np.uint8([16]), 4, 1.5), "count=1.5: is no whole number"),
    (lambda: bitlaw.unpack(np.uint8([16]), 4, -1), "count=-1: is not from 0 to 8"),
    (lambda: bitlaw.packed("mxfp4", np.zeros(16, np.uint8), np.zeros((1, 1), np.uint8), 32), "shape=32: is no shape"),
    (lambda: bitlaw.packed("mxfp4", np.zeros(16, np.uint8), np.zeros((1, 1), np.uint8), (-1, -32)),
     "shape=-1: is not from 0"),
])
def test_mistakes_are_value_errors_that_say_what_helps(call, message):
    with pytest.raises(ValueError) as error:
        call()
    assert message in str(error.value)


@pytest.mark.parametrize("bits", range(1, 9))
def test_packing_leaves_no_gaps_and_loses_nothing(bits):
    codes = RANDOM.integers(0, 2**bits, 1001).astype(np.uint8)
    packed = bitlaw.pack(codes, bits)
    expected = np.packbits(np.unpackbits(codes[:, None], axis=1, bitorder="little")[:, :bits].ravel(), bitorder="little")
    np.testing.assert_array_equal(packed, expected)
    np.testing.assert_array_equal(bitlaw.unpack(packed, bits, codes.size), codes)


def test_wide_formats_decode_to_float64():
    x = np.float64([1 / 3, 1e-300])
    assert bitlaw.decode(bitlaw.encode(x, "float64"), "float64").tolist() == x.tolist()
    assert bitlaw.decode(bitlaw.encode(x, "e4m3"), "e4m3").dtype == np.float32
