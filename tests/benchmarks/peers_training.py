"""Tokens per second of a training step in PyTorch, one thread: the models of training_benchmark.cpp.

Decoder-only, RMSNorm, rotary embedding, SwiGLU, untied head, vocabulary 256, 16 sequences of 128 random tokens, AdamW
with clipping of the gradient norm. float32; and NVFP4 (blocks of 16, E4M3 scales under a float32 scale) in all six
operands of every linear layer, emulated with tensor operations as such tools do. Times are of the processor.
"""
import time

import torch
import torch.nn.functional as F

VOCABULARY, CONTEXT, SEQUENCES = 256, 128, 16
SIZES = [(32, 2), (64, 4), (128, 4), (256, 6), (384, 6)]


def e2m1(x):
    """To nearest, ties to even; |x| <= 6."""
    a = x.abs()
    step = torch.where(a < 2, 0.5, torch.where(a < 4, 1.0, 2.0))
    return torch.copysign(torch.round(a / step) * step, x)


def nvfp4(x):
    """Blocks along the last axis."""
    amax = x.abs().amax()
    encode = 2688.0 / amax.clamp(min=1e-30)
    blocks = x.reshape(-1, 16)
    scale = (blocks.abs().amax(-1, keepdim=True) / 6 * encode).to(torch.float8_e4m3fn).float()
    factor = torch.where(scale > 0, encode / scale, 0.0)
    return (e2m1((blocks * factor).clamp(-6, 6)) * (scale / encode)).reshape(x.shape)


class QuantizedLinear(torch.autograd.Function):
    @staticmethod
    def forward(context, x, w):
        context.save_for_backward(x, w)
        return nvfp4(x) @ nvfp4(w).T

    @staticmethod
    def backward(context, dy):
        x, w = context.saved_tensors
        dx = nvfp4(dy) @ nvfp4(w.T.contiguous()).T
        dw = nvfp4(dy.T.contiguous()) @ nvfp4(x.T.contiguous()).T
        return dx, dw


class Model(torch.nn.Module):
    def __init__(self, width, layers, quantized):
        super().__init__()
        self.width, self.layers, self.quantized, self.heads = width, layers, quantized, width // 32
        ffn = (8 * width // 3 + 15) // 16 * 16

        def matrix(rows, cols):
            return torch.nn.Parameter(torch.randn(rows, cols) * cols**-0.5)

        self.embedding, self.head = matrix(VOCABULARY, width), matrix(VOCABULARY, width)
        self.qkv = torch.nn.ParameterList([matrix(3 * width, width) for _ in range(layers)])
        self.out = torch.nn.ParameterList([matrix(width, width) for _ in range(layers)])
        self.gate_up = torch.nn.ParameterList([matrix(2 * ffn, width) for _ in range(layers)])
        self.down = torch.nn.ParameterList([matrix(width, ffn) for _ in range(layers)])
        self.norms = torch.nn.ParameterList([torch.nn.Parameter(torch.ones(width)) for _ in range(2 * layers + 1)])
        angles = torch.arange(CONTEXT)[:, None] * 10000.0 ** (-torch.arange(16) / 16)
        self.cos, self.sin = torch.cos(angles), torch.sin(angles)

    def linear(self, x, w):
        if not self.quantized:
            return x @ w.T
        return QuantizedLinear.apply(x.reshape(-1, x.shape[-1]), w).reshape(*x.shape[:-1], w.shape[0])

    def rotate(self, x):
        a, b = x.chunk(2, -1)
        return torch.cat([a * self.cos - b * self.sin, a * self.sin + b * self.cos], -1)

    def forward(self, tokens, targets):
        x = self.embedding[tokens]
        for i in range(self.layers):
            qkv = self.linear(F.rms_norm(x, (self.width,), self.norms[2 * i], 1e-5), self.qkv[i])
            q, k, v = (t.reshape(SEQUENCES, CONTEXT, self.heads, 32).transpose(1, 2) for t in qkv.chunk(3, -1))
            mixed = F.scaled_dot_product_attention(self.rotate(q), self.rotate(k), v, is_causal=True)
            x = x + self.linear(mixed.transpose(1, 2).reshape(SEQUENCES, CONTEXT, self.width), self.out[i])
            normed = F.rms_norm(x, (self.width,), self.norms[2 * i + 1], 1e-5)
            gate, up = self.linear(normed, self.gate_up[i]).chunk(2, -1)
            x = x + self.linear(F.silu(gate) * up, self.down[i])
        logits = F.rms_norm(x, (self.width,), self.norms[-1], 1e-5) @ self.head.T
        return F.cross_entropy(logits.reshape(-1, VOCABULARY), targets.reshape(-1))


def tokens_per_second(width, layers, quantized):
    torch.manual_seed(1)
    model = Model(width, layers, quantized)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, foreach=True)
    tokens = torch.randint(VOCABULARY, (SEQUENCES, CONTEXT + 1))
    best, began, steps = 1e9, time.perf_counter(), 0
    while steps < 3 or time.perf_counter() - began < 4:
        start = time.process_time()
        optimizer.zero_grad()
        model(tokens[:, :-1], tokens[:, 1:]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        best = min(best, time.process_time() - start)
        steps += 1
    return SEQUENCES * CONTEXT / best


def main():
    torch.set_num_threads(1)
    print(f"PyTorch {torch.__version__}, one thread, best step of at least 4 s")
    for width, layers in SIZES:
        for quantized in (False, True):
            speed = tokens_per_second(width, layers, quantized)
            name = "nvfp4 emulated" if quantized else "float32"
            print(f"torch {name:<15} width {width:>3} x {layers} {speed * 1e-3:>9.2f} k tokens/s", flush=True)


main()
