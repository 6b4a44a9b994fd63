"""Tensors of PyTorch and arrays of JAX, where they are installed, come out as what they went in, with the same bits."""

import bitlaw
import ml_dtypes
import numpy as np
import pytest

X = (np.random.default_rng(3).standard_normal((6, 32)) * 8).astype(np.float32)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.fixture
def jax_numpy():
    return pytest.importorskip("jax.numpy")


@pytest.mark.parametrize("format", ["e4m3", "nvfp4"])
def test_pytorch_tensors(torch, format):
    x = torch.tensor(X, requires_grad=True)
    q = bitlaw.quantize(x, format)
    assert isinstance(q, torch.Tensor) and q.dtype == torch.float32 and not q.requires_grad
    np.testing.assert_array_equal(q.numpy(), bitlaw.quantize(X, format))
    q += 1  # is writeable


def test_pytorch_views_and_types(torch):
    x = torch.tensor(X)
    np.testing.assert_array_equal(bitlaw.quantize(x.T, "e4m3").numpy(), bitlaw.quantize(X.T, "e4m3"))
    for kind, same in ((torch.float64, np.float64), (torch.float16, np.float16)):
        q = bitlaw.quantize(x.to(kind), "e4m3")
        assert q.dtype == kind
        np.testing.assert_array_equal(q.numpy(), bitlaw.quantize(X.astype(same), "e4m3"))
    q = bitlaw.quantize(x.to(torch.bfloat16), "e4m3")
    assert q.dtype == torch.bfloat16
    expected = bitlaw.quantize(X.astype(ml_dtypes.bfloat16), "e4m3").astype(np.float32)
    np.testing.assert_array_equal(q.float().numpy(), expected)


def test_pytorchs_own_casts_agree(torch):
    x = torch.tensor(X).clamp(-448, 448)
    assert torch.equal(bitlaw.quantize(x, "e4m3"), x.to(torch.float8_e4m3fn).float())


def test_products_of_pytorch_tensors(torch):
    a = torch.tensor(X)
    c = bitlaw.gemm(a, a.T, accumulator="float32")
    assert isinstance(c, torch.Tensor) and torch.allclose(c, a @ a.T, rtol=1e-4, atol=1e-3)
    assert isinstance(bitlaw.hadamard(a, 16, signs="none"), torch.Tensor)


def test_jax_arrays(jax_numpy):
    x = jax_numpy.asarray(X)
    for format in ("e4m3", "nvfp4"):
        q = bitlaw.quantize(x, format)
        assert type(q) is type(x)
        np.testing.assert_array_equal(np.asarray(q), bitlaw.quantize(X, format))
    q = bitlaw.quantize(x.astype(jax_numpy.bfloat16), "e5m2")
    assert type(q) is type(x) and q.dtype == jax_numpy.bfloat16
    expected = x.astype(jax_numpy.bfloat16).astype(jax_numpy.float8_e5m2).astype(jax_numpy.bfloat16)
    np.testing.assert_array_equal(np.asarray(q), np.asarray(expected))
