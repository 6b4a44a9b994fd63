#!/usr/bin/env python3
"""Makes transformer.json: loss and gradients of the decoder-only transformer, computed by PyTorch in float64.

    pip install torch && python tests/golden/make_transformer.py > tests/golden/transformer.json

The model is written here from its papers: RMSNorm (arXiv:1910.07467), rotary embedding with the pairs of GPT-NeoX
(arXiv:2104.09864), grouped queries (arXiv:2305.13245), SwiGLU (arXiv:2002.05202), an untied head. Weights and tokens are
closed formulas of their index, so the C++ test can repeat them.
"""

import json

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
LAYERS, WIDTH, HEADS, KV_HEADS, FFN, CONTEXT, VOCABULARY, SEQUENCES = 2, 24, 3, 1, 40, 10, 13, 3
HEAD = WIDTH // HEADS


def shapes():
    yield "embedding", VOCABULARY, WIDTH
    for b in range(LAYERS):
        yield f"block{b}.attention.norm", 1, WIDTH
        yield f"block{b}.attention.qkv", (HEADS + 2 * KV_HEADS) * HEAD, WIDTH
        yield f"block{b}.attention.out", WIDTH, WIDTH
        yield f"block{b}.mlp.norm", 1, WIDTH
        yield f"block{b}.mlp.gate_up", 2 * FFN, WIDTH
        yield f"block{b}.mlp.down", WIDTH, FFN
    yield "norm", 1, WIDTH
    yield "head", VOCABULARY, WIDTH


def hashed(i):
    """In [-1/2, 1/2), exact in float32."""
    return ((i * 2654435761 % 2**32) >> 8) / 2**24 - 0.5


def weights():
    first, parameters = 0, {}
    for name, rows, cols in shapes():
        values = torch.tensor([hashed(first + i) for i in range(rows * cols)]).reshape(rows, cols)
        if name.endswith("norm"):
            values = values + 1
        parameters[name] = values.requires_grad_()
        first += rows * cols
    return parameters


def rms_norm(x, gain):
    return gain * x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-5)


def rotate(x):
    """x [sequences, tokens, heads, HEAD]."""
    half = HEAD // 2
    angles = torch.arange(CONTEXT)[:, None] * 10000.0 ** (-2.0 * torch.arange(half) / HEAD)
    cos, sin = torch.cos(angles)[:, None, :], torch.sin(angles)[:, None, :]
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


def attention(x, qkv_weight, out_weight):
    qkv = x @ qkv_weight.T
    q, k, v = qkv.split([HEADS * HEAD, KV_HEADS * HEAD, KV_HEADS * HEAD], -1)
    q = rotate(q.reshape(SEQUENCES, CONTEXT, HEADS, HEAD)).transpose(1, 2)
    k = rotate(k.reshape(SEQUENCES, CONTEXT, KV_HEADS, HEAD)).transpose(1, 2)
    v = v.reshape(SEQUENCES, CONTEXT, KV_HEADS, HEAD).transpose(1, 2)
    k, v = (t.repeat_interleave(HEADS // KV_HEADS, 1) for t in (k, v))
    scores = (q @ k.transpose(-1, -2) / HEAD**0.5).masked_fill(
        torch.ones(CONTEXT, CONTEXT, dtype=torch.bool).triu(1), float("-inf")
    )
    mixed = torch.softmax(scores, -1) @ v
    return mixed.transpose(1, 2).reshape(SEQUENCES, CONTEXT, WIDTH) @ out_weight.T


def loss(p, inputs, targets):
    x = p["embedding"][inputs]
    for b in range(LAYERS):
        name = f"block{b}."
        x = x + attention(
            rms_norm(x, p[name + "attention.norm"]), p[name + "attention.qkv"], p[name + "attention.out"]
        )
        gate, up = (rms_norm(x, p[name + "mlp.norm"]) @ p[name + "mlp.gate_up"].T).chunk(2, -1)
        x = x + (F.silu(gate) * up) @ p[name + "mlp.down"].T
    logits = rms_norm(x, p["norm"]) @ p["head"].T
    return F.cross_entropy(logits.reshape(-1, VOCABULARY), targets.reshape(-1))


def main():
    p = weights()
    tokens = torch.tensor([i * i * 7 % VOCABULARY for i in range(SEQUENCES * CONTEXT + 1)])
    inputs = tokens[:-1].reshape(SEQUENCES, CONTEXT)
    targets = tokens[1:].reshape(SEQUENCES, CONTEXT)
    value = loss(p, inputs, targets)
    value.backward()
    gradients = {}
    for name, parameter in p.items():
        g = parameter.grad.reshape(-1)
        probe = torch.tensor([hashed(i) for i in range(len(g))])
        gradients[name] = {"norm": g.norm().item(), "dot": (g @ probe).item(), "first": g[:4].tolist()}
    print(json.dumps({"torch": torch.__version__, "loss": value.item(), "gradients": gradients}, indent=1))


main()
