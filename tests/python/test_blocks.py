"""Blocks that share scales, rotations and accumulators against gfloat, ml_dtypes and closed forms."""

import pickle

import bitlaw
import ml_dtypes
import numpy as np
import pytest

RANDOM = np.random.default_rng(11)
X = (RANDOM.standard_normal((64, 96)) * np.exp2(RANDOM.integers(-9, 9, (64, 96)))).astype(np.float32)


def cast(x, kind, largest):
    return np.clip(x, -largest, largest).astype(kind).astype(np.float32)


def mxfp4(x):
    """OCP MX v1.0 section 6.3: X = 2^(floor(log2 amax) - 2), elements to nearest even."""
    blocks = x.reshape(x.shape[0], -1, 32)
    amax = np.abs(blocks).max(axis=-1, keepdims=True)
    scale = np.ldexp(np.float32(1), np.frexp(amax)[1] - 1 - 2).astype(np.float32)
    return (cast(blocks / scale, ml_dtypes.float4_e2m1fn, 6) * scale).reshape(x.shape)


def nvfp4(x):
    """arXiv:2509.25149 appendix C: s_enc = 6 448 / amax, scales E4M3(amax_b / 6 s_enc)."""
    f = np.float32
    encode = f(2688) / np.abs(x).max()
    blocks = x.reshape(x.shape[0], -1, 16)
    amax = np.abs(blocks).max(axis=-1, keepdims=True)
    scale = cast(amax / f(6) * encode, ml_dtypes.float8_e4m3fn, 448)
    with np.errstate(all="ignore"):
        q = cast(blocks * np.minimum(encode / scale, np.finfo(f).max), ml_dtypes.float4_e2m1fn, 6)
    return (q * (scale * (f(1) / encode))).reshape(x.shape)


@pytest.mark.parametrize("name", ["mxfp4", "nvfp4", "fp8_tensor"])
@pytest.mark.parametrize("axis", [0, -1])
def test_threads_change_no_bit(name, axis):
    x = np.random.default_rng(3).standard_normal((300, 512)).astype(np.float32)
    options = {"rounding": "stochastic", "key": 5, "axis": axis}
    alone = bitlaw.quantize(x, name, **options)
    for threads in (2, 3):
        np.testing.assert_array_equal(bitlaw.quantize(x, name, threads=threads, **options), alone)


@pytest.mark.parametrize("name, definition", [("mxfp4", mxfp4), ("nvfp4", nvfp4)])
def test_presets_are_their_documents_formulas_along_either_axis(name, definition):
    np.testing.assert_array_equal(bitlaw.quantize(X, name), definition(X))
    np.testing.assert_array_equal(bitlaw.quantize(np.ascontiguousarray(X.T), name, axis=0), definition(X).T)
    np.testing.assert_array_equal(bitlaw.quantize(X.reshape(4, 16, 96), name), definition(X).reshape(4, 16, 96))


@pytest.mark.parametrize("axis", [-1, 0])
@pytest.mark.parametrize("name", ["mxfp4", "nvfp4", "mxfp8", "int4_g32", "fp8_128x128"])
def test_packed_bits_decode_to_what_quantize_gives(name, axis):
    packed = bitlaw.encode(X, name, rounding="stochastic", key=4, axis=axis)
    expected = bitlaw.quantize(X, name, rounding="stochastic", key=4, axis=axis)
    np.testing.assert_array_equal(bitlaw.decode(packed), expected)
    again = bitlaw.packed(name, packed.codes, packed.scales, X.shape, tensor_scale=packed.tensor_scale, axis=axis)
    np.testing.assert_array_equal(bitlaw.decode(again), expected)


def test_packed_mxfp4_is_the_bytes_of_the_standard():
    """Scales E8M0, 2^(code - 127); elements 4 bits, the first in the low half (OCP MX v1.0 section 5)."""
    x = np.float32([[0.5, 1, 1.5, 6] * 8])
    packed = bitlaw.encode(x, "mxfp4")
    assert packed.scales.tolist() == [[127]] and packed.tensor_scale is None and packed.shape == [1, 32]
    assert packed.codes.tolist() == [0x21, 0x73] * 8
    assert packed.codes.flags.writeable is False


@pytest.mark.parametrize("name, bits", [("mxfp4", 4.25), ("mxfp8", 8.25), ("nvfp4", 4.5 + 32 / 4096)])
def test_bits_per_element_count_the_scales(name, bits):
    assert bitlaw.Block(name).bits_per_element(64, 64) == bits


@pytest.mark.parametrize("name", bitlaw.block_presets())
def test_every_preset_survives_pickling(name):
    block = bitlaw.Block(name)
    again = pickle.loads(pickle.dumps(block))
    assert again == block and hash(again) == hash(block) and repr(again) == f"Block('{name}')"


def test_blocks_are_built_from_the_keys_of_yaml():
    block = bitlaw.Block("e2m1", block=32, scale="e8m0", rule="ocp_floor")
    assert block == bitlaw.Block("mxfp4") and block != bitlaw.Block("mxfp4", rule="ceil")
    assert block.element == bitlaw.Format("e2m1") and block.scale == bitlaw.Format("e8m0")


@pytest.mark.parametrize("call, message", [
    (lambda: bitlaw.Block("mxfp4", rule="sealing"), "bitlaw.Block(rule=sealing)"),
    (lambda: bitlaw.Block("mxfp4", rul="ceil"), "rule"),
    (lambda: bitlaw.Block("mxfp4", round="nearest"), "round"),
    (lambda: bitlaw.Block("e2m1"), "block"),
    (lambda: bitlaw.Block("e2m1", block=0, scale="e8m0"), "block=0"),
    (lambda: bitlaw.quantize(X.reshape(4, 16, 96), "mxfp4", axis=1), "numpy.moveaxis(x, 1, -1)"),
    (lambda: bitlaw.quantize(X, "mxfp4", axis=2), "the array has 2 axes"),
    (lambda: bitlaw.packed("mxfp4", np.zeros(3, np.uint8), np.zeros(3, np.uint8), (1, 32)), "takes 16 and 1"),
])
def test_mistakes_are_value_errors_that_say_what_helps(call, message):
    with pytest.raises(ValueError) as error:
        call()
    assert message in str(error.value)


def sylvester(size):
    matrix = np.ones((1, 1))
    while matrix.shape[0] < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


@pytest.mark.parametrize("size", [4, 16])
def test_a_rotation_is_the_product_with_sylvesters_matrix(size):
    """Small integers, and sqrt(size) a power of two: every step is exact."""
    x = RANDOM.integers(-9, 10, (5, 64)).astype(np.float32)
    expected = (x.reshape(-1, size) @ sylvester(size) / np.sqrt(size)).reshape(x.shape)
    rotated = bitlaw.hadamard(x, size, signs="none")
    np.testing.assert_array_equal(rotated, expected)
    np.testing.assert_array_equal(bitlaw.hadamard(np.ascontiguousarray(x.T), size, signs="none", axis=0), expected.T)
    np.testing.assert_array_equal(bitlaw.hadamard(rotated, size, signs="none", inverse=True), x)


def test_products_of_operands_that_are_rotated_alike_stay():
    a, b = (RANDOM.integers(-9, 10, (6, 64)).astype(np.float32) for _ in range(2))
    rotated = [bitlaw.hadamard(x, 16, key=2) for x in (a, b)]
    np.testing.assert_array_equal(rotated[0] @ rotated[1].T, a @ b.T)
    assert (bitlaw.hadamard(a, 16, key=3) != rotated[0]).any()


def test_hopper_keeps_13_bits_below_the_largest_product():
    """Products are truncated to multiples of 2^-13 of the largest of a group (core/tensor/accumulator.h)."""
    ones = np.ones((2, 1), np.float32)
    kept, lost = np.float32([[1, 2.0**-13]]), np.float32([[1, 2.0**-14]])
    assert bitlaw.gemm(kept, ones, accumulator="hopper_fp8") == 1 + 2.0**-13
    assert bitlaw.gemm(lost, ones, accumulator="hopper_fp8") == 1
    assert bitlaw.gemm(lost, ones, accumulator="float32") == 1 + 2.0**-14


@pytest.mark.parametrize("name", bitlaw.accumulators())
def test_every_accumulator_is_exact_on_small_integers(name):
    a, b = RANDOM.integers(-3, 4, (7, 24)).astype(np.float32), RANDOM.integers(-3, 4, (24, 5)).astype(np.float32)
    if "bfloat16" in name or "16" in name:
        a, b = np.sign(a), np.sign(b)
    np.testing.assert_array_equal(bitlaw.gemm(a, b, accumulator=name), a @ b)
    np.testing.assert_array_equal(bitlaw.gemm(a, b.T, accumulator=name, transpose_b=True, threads=2), a @ b)


@pytest.mark.parametrize("call, message", [
    (lambda: bitlaw.gemm(X, X, accumulator="hopper_fp8"), "K must be equal"),
    (lambda: bitlaw.gemm(X, X[0], accumulator="hopper_fp8"), "which is no matrix"),
    (lambda: bitlaw.gemm(X, X.T, accumulator="hoper_fp8"), "hopper_fp8"),
    (lambda: bitlaw.hadamard(X, 12, key=1), "no power of two"),
    (lambda: bitlaw.hadamard(X, 64, key=1), "the axis has 96 numbers"),
    (lambda: bitlaw.hadamard(X, 16), "key is missing"),
    (lambda: bitlaw.hadamard(X, 16, signs="fixd"), "fixed"),
    (lambda: bitlaw.hadamard(X, 32, signs="fixed"), "use size=16"),
])
def test_products_refuse_what_they_cannot_do(call, message):
    with pytest.raises(ValueError) as error:
        call()
    assert message in str(error.value)
