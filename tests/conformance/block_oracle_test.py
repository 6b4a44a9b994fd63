"""Our blocks, element codes and scale codes, against torchao's MX and NVFP4 and gfloat's blocks.

    block_oracle_test.py BLOCK_STREAM [LIBRARY...]

Without torchao, which needs PyTorch, only gfloat is compared, and the test says so; exit code 77 (skipped) without
either. More than 10^6 blocks of each torchao format: normal numbers, heavy tails, numbers of all sizes, and blocks
beside ties: elements at midpoints, amax at powers of two and at max times them, a step or three away.
"""

import subprocess
import sys

import numpy as np

PROGRAM = sys.argv[1]
COLS = 512
MX_ROWS, NVFP4_ROWS = 4096, 8192  # of each of four distributions


def ours(preset, x, *choices):
    """values [rows, cols], element codes [rows, cols], scale codes, tensor scale or None."""
    rows, cols = x.shape
    run = subprocess.run([PROGRAM, preset, str(rows), str(cols), *choices], input=x.tobytes(), capture_output=True,
                         check=False)
    if run.returncode != 0:
        sys.exit(f"{PROGRAM} {preset} {choices}: {run.stderr.decode()}")
    output = np.frombuffer(run.stdout, np.uint8)
    values, codes, scales = output[:4 * x.size], output[4 * x.size:5 * x.size], output[5 * x.size:]
    return values.view(np.float32).reshape(x.shape), codes.reshape(x.shape), scales


def at_ties(random, rows, midpoints, largest, block):
    """Blocks whose amax is a value near a tie of scales, and whose elements lie beside midpoints times the scale."""
    blocks = rows * COLS // block
    scale = np.exp2(random.integers(-20, 20, (blocks, 1))) * random.choice([1.0, 1.0, 1.125, 1.0625, 1.1875, 1.3],
                                                                          (blocks, 1))
    x = (random.choice(midpoints, (blocks, block)) * scale).astype(np.float32)
    x[:, 0] = (random.choice([largest, 1.0, 2.0, largest / 2 * 1.5], blocks) * scale[:, 0]).astype(np.float32)
    steps = random.integers(-3, 4, x.shape)
    x = (x.view(np.int32) + steps.astype(np.int32)).view(np.float32)
    return (x * random.choice([-1, 1], x.shape).astype(np.float32)).reshape(rows, COLS)


def operands(random, rows, midpoints, largest, block):
    """Named operands of `rows` each."""
    normal = random.standard_normal((rows, COLS)).astype(np.float32)
    sizes = np.repeat(np.exp2(random.integers(-120, 110, (rows, COLS // block))), block, axis=1).astype(np.float32)
    yield "normal", normal
    yield "heavy-tailed", random.standard_t(2, (rows, COLS)).astype(np.float32)
    yield "of all sizes", normal * sizes
    yield "beside ties", at_ties(random, rows, midpoints, largest, block)


def compare(failures, what, got, expected, left_out=False):
    """Adds a line where they differ; `left_out` says which elements do not count."""
    wrong = np.flatnonzero((got != expected) & ~np.broadcast_to(left_out, got.shape))
    if wrong.size:
        i = wrong[0]
        failures.append(f"{what}: {wrong.size} of {got.size} differ, at {i} ours {got.flat[i]}, "
                        f"theirs {expected.flat[i]}")


def midpoints_of(values):
    return np.concatenate([(values[1:] + values[:-1]) / 2, values[1:]])


MX = {"mxfp4": 6.0, "mxfp6_e2m3": 7.5, "mxfp6_e3m2": 28.0, "mxfp8_e4m3": 448.0, "mxfp8_e5m2": 57344.0}
RULES = {"FLOOR": ["rule=ocp_floor"], "CEIL": ["rule=ceil"], "EVEN": ["rule=even"],
         "RCEIL": ["rule=reciprocal", "scale_round=toward_positive"]}
E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])


def known_faults(rule, largest, amax, ours, theirs):
    """Blocks that torchao 0.18 scales wrongly, and its main branch does not: X = 2^-127, by whose reciprocal it does not
    multiply; RCEIL, whose float32 logarithm is too low up to 64 steps above powers of two."""
    quotient = (amax / np.float32(largest)).view(np.uint32)
    just_above = (quotient & 0x7FFFFF) <= 64
    return (ours == 0) | ((rule == "RCEIL") & just_above & (ours == theirs + 1))


def check_torchao():
    import torch
    import torchao
    from torchao.prototype.mx_formats import mx_tensor, nvfp4_tensor
    from torchao.prototype.mx_formats.kernels import unpack_uint4

    is_fixed = hasattr(mx_tensor, "_f32_to_e8m0_rceil")  # after 0.18, which also divides
    if not is_fixed:
        RULES["RCEIL"][0] = "rule=divide"
    mx_types = {"mxfp4": torch.float4_e2m1fn_x2, "mxfp6_e2m3": mx_tensor.DTYPE_FP6_E2M3,
                "mxfp6_e3m2": mx_tensor.DTYPE_FP6_E3M2, "mxfp8_e4m3": torch.float8_e4m3fn,
                "mxfp8_e5m2": torch.float8_e5m2}
    failures, blocks, faults = [], 0, 0
    random = np.random.default_rng(7)
    for preset, largest in MX.items():
        element = mx_types[preset]
        mids = midpoints_of(np.linspace(1, 2, 9) * largest / 2) if preset != "mxfp4" else midpoints_of(E2M1)
        for name, x in operands(random, MX_ROWS, mids, largest, 32):
            amax = np.abs(x.reshape(-1, 32)).max(axis=1)
            for rule, choices in RULES.items():
                what = f"torchao {preset} {rule} {name}"
                scale, data = mx_tensor.to_mx(torch.from_numpy(x), element, 32, mx_tensor.ScaleCalculationMode[rule])
                values, codes, scales = ours(preset, x, *choices)
                their_scales = scale.view(torch.uint8).numpy().ravel()
                faulty = False if is_fixed else known_faults(rule, largest, amax, scales, their_scales)
                faults += np.sum(faulty)
                of_elements = faulty if is_fixed else faulty[:, np.newaxis]
                bytes_of = data.view(torch.uint8)
                their_codes = unpack_uint4(bytes_of).numpy() if preset == "mxfp4" else bytes_of.numpy()
                decoded = mx_tensor.to_dtype(data, scale, element, 32, torch.float32).numpy()
                compare(failures, f"{what}: scales", scales, their_scales, faulty & (scales != 0))
                compare(failures, f"{what}: elements", codes.reshape(-1, 32), their_codes.reshape(-1, 32), of_elements)
                compare(failures, f"{what}: values", values.view(np.uint32).reshape(-1, 32),
                        decoded.view(np.uint32).reshape(-1, 32), of_elements)
                blocks += amax.size
    print(f"torchao {torchao.__version__} MX: {blocks} blocks of 32 compared, {faults} left out for its known faults")
    blocks = 0
    for name, x in operands(random, NVFP4_ROWS, midpoints_of(E2M1), 6.0, 16):
        per_tensor = nvfp4_tensor.per_tensor_amax_to_scale(torch.from_numpy(x).abs().max())
        scale, data = nvfp4_tensor.nvfp4_quantize(torch.from_numpy(x), 16, per_tensor)
        values, codes, scales = ours("nvfp4_torchao", x)
        their_codes = unpack_uint4(data).numpy().reshape(x.shape)
        their_scales = scale.view(torch.uint8).numpy().ravel()
        compare(failures, f"torchao NVFP4 {name}: scales", scales[:-4], their_scales)
        compare(failures, f"torchao NVFP4 {name}: tensor scale", scales[-4:].view(np.float32),
                per_tensor.numpy().reshape(1))
        compare(failures, f"torchao NVFP4 {name}: elements", codes, their_codes)
        elements = E2M1.astype(np.float32)[their_codes & 7] * np.where(their_codes & 8, -1, 1).astype(np.float32)
        decoded = elements.reshape(-1, 16) * (per_tensor * scale.float()).numpy().reshape(-1, 1)
        compare(failures, f"torchao NVFP4 {name}: values", values.ravel().view(np.uint32),
                decoded.astype(np.float32).ravel().view(np.uint32))
        blocks += x.size // 16
    print(f"torchao NVFP4: {blocks} blocks of 16 compared")
    return failures


def check_gfloat():
    """gfloat's block formats with a scale rule of ours in float64, whose logarithms are exact where it matters."""
    import gfloat
    import gfloat.formats as formats

    infos = {"mxfp4": formats.format_info_mxfp4_e2m1, "mxfp6_e2m3": formats.format_info_mxfp6_e2m3,
             "mxfp6_e3m2": formats.format_info_mxfp6_e3m2, "mxfp8_e4m3": formats.format_info_mxfp8_e4m3,
             "mxfp8_e5m2": formats.format_info_mxfp8_e5m2, "mxint8": formats.format_info_mxint8}
    failures, blocks = [], 0
    random = np.random.default_rng(8)
    for preset, info in infos.items():
        largest = info.etype.max
        for name, x in operands(random, 2, midpoints_of(np.linspace(1, 2, 9) * largest / 2), largest, 32):
            expected = np.empty_like(x)
            for i, block in enumerate(x.reshape(-1, 32).astype(np.float64)):
                scale = gfloat.compute_scale_amax(info.etype.emax, block)
                rounded = [gfloat.round_float(info.etype, v / scale, sat=True) for v in block]
                expected.reshape(-1, 32)[i] = np.array(rounded) * scale
            compare(failures, f"gfloat {preset} {name}", ours(preset, x)[0], expected)
            blocks += x.size // 32
    print(f"gfloat: {blocks} blocks of 32 compared")
    return failures


def main():
    failures, compared = [], 0
    for name, check in {"gfloat": check_gfloat, "torchao": check_torchao}.items():
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        try:
            failures += check()
            compared += 1
        except ImportError as error:
            print(f"SKIP {name}: {error}")
    for failure in failures:
        print("FAILED", failure)
    return 1 if failures else 0 if compared else 77


if __name__ == "__main__":
    sys.exit(main())
