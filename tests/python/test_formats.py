"""bitlaw.Format against the numbers that documents print and the tables of ml_dtypes."""

import pickle

import bitlaw
import ml_dtypes
import numpy as np
import pytest

THEIRS = {
    "e4m3": ml_dtypes.float8_e4m3fn, "e5m2": ml_dtypes.float8_e5m2, "e3m4": ml_dtypes.float8_e3m4,
    "e4m3_ieee": ml_dtypes.float8_e4m3, "e4m3fnuz": ml_dtypes.float8_e4m3fnuz, "e5m2fnuz": ml_dtypes.float8_e5m2fnuz,
    "e4m3b11fnuz": ml_dtypes.float8_e4m3b11fnuz, "e2m3": ml_dtypes.float6_e2m3fn, "e3m2": ml_dtypes.float6_e3m2fn,
    "e2m1": ml_dtypes.float4_e2m1fn, "e8m0": ml_dtypes.float8_e8m0fnu, "bfloat16": ml_dtypes.bfloat16,
    "float16": np.float16,
}


@pytest.mark.parametrize("name", THEIRS)
def test_every_code_has_the_value_that_ml_dtypes_gives_it(name):
    kind = np.dtype(THEIRS[name])
    bits = bitlaw.Format(name).bits
    codes = np.arange(2**bits, dtype=np.uint8 if kind.itemsize == 1 else np.uint16)
    with np.errstate(invalid="ignore"):  # signalling NaNs
        np.testing.assert_array_equal(bitlaw.Format(name).values(), codes.view(kind).astype(np.float64))


@pytest.mark.parametrize("name", THEIRS)
def test_limits_are_those_of_ml_dtypes_finfo(name):
    ours = bitlaw.Format(name)
    theirs = np.finfo(np.float16) if name == "float16" else ml_dtypes.finfo(THEIRS[name])
    assert (ours.bits, ours.max, ours.min_normal) == (theirs.bits, float(theirs.max), float(theirs.smallest_normal))
    assert ours.epsilon == float(theirs.eps)
    if ours.min_subnormal is not None:
        assert ours.min_subnormal == float(theirs.smallest_subnormal)


def test_the_printed_limits_of_ocp_formats():
    """OCP OFP8 v1.0 Table 1; OCP MX v1.0 section 5.3.1."""
    e4m3, e2m1 = bitlaw.Format("e4m3"), bitlaw.Format("e2m1")
    assert (e4m3.max, e4m3.min_normal, e4m3.min_subnormal, e4m3.bias) == (448, 2.0**-6, 2.0**-9, 7)
    assert e4m3.has_nan and not e4m3.has_infinity and e4m3.has_minus_zero
    assert (e2m1.max, e2m1.min_normal, e2m1.min_subnormal, e2m1.bits) == (6, 1, 0.5, 4)
    assert not e2m1.has_nan


def test_what_a_format_lacks_is_none():
    int4, nf4 = bitlaw.Format("int4"), bitlaw.Format("nf4")
    assert (int4.max, int4.least, int4.min_positive) == (7, -8, 1)
    assert int4.min_normal is None and int4.epsilon is None
    assert (nf4.bits, nf4.max, nf4.least, nf4.bias, nf4.min_normal) == (4, 1, -1, None, None)
    assert bitlaw.Format("e8m0").min_subnormal is None


def test_neighbours_and_ulps_are_those_of_the_list_of_values():
    e2m1 = bitlaw.Format("e2m1")
    positive = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]
    for value, above in zip(positive, positive[1:]):
        assert e2m1.next_up(value) == above and e2m1.next_down(above) == value
    assert [e2m1.ulp(v) for v in (0, 0.7, 1, 2, 5.5)] == [0.5, 0.5, 0.5, 1, 2]
    assert e2m1.code_of(3.0) == 5 and e2m1.value_of(5) == 3.0 and e2m1.code_of(2.5) is None


def test_equal_formats_are_equal_whatever_their_names():
    a, b = bitlaw.Format("float32"), bitlaw.Format("binary32")
    assert a == b and hash(a) == hash(b) and a.name == "float32"
    assert a != bitlaw.Format("e4m3") and a != "float32"


@pytest.mark.parametrize("name", ["e4m3", "e3m2:bias=5,finite", "nf4", "Binary8p3se"])
def test_a_format_survives_pickling(name):
    again = pickle.loads(pickle.dumps(bitlaw.Format(name)))
    assert again == bitlaw.Format(name) and again.name == name


@pytest.mark.parametrize("call, message", [
    (lambda: bitlaw.Format("e4m3fm"), "did you mean 'e4m3fn'"),
    (lambda: bitlaw.Format("float32").values(), "up to 16 bits are listed"),
    (lambda: bitlaw.Format("e2m1").value_of(16), "code 16 has more than 4 bits"),
    (lambda: bitlaw.Format("codebook[0,1,2]").value_of(3), "code 3 has no value"),
    (lambda: bitlaw.Format("e2m1").next_up(2.5), "2.5 is none of its values"),
    (lambda: bitlaw.Format("e2m1").ulp(7), "beyond its largest value 6"),
    (lambda: bitlaw.Format("nf4").ulp(0.5), "is a list of values"),
])
def test_mistakes_are_value_errors_that_say_what_helps(call, message):
    with pytest.raises(ValueError) as error:
        call()
    assert message in str(error.value)


def test_the_catalog_has_each_name_once():
    names = [f.name for f in bitlaw.formats()]
    assert len(set(names)) == len(names) and {"e4m3", "ue5m3", "int8", "nf4"} <= set(names)
