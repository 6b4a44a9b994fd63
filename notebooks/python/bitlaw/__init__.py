"""Bitlaw in Python: number formats bit by bit, results as tables, scaling laws with intervals.

>>> import bitlaw, numpy as np
>>> x = np.array([0.1, 3.3, -464, 1e6], np.float32)
>>> bitlaw.quantize(x, "e4m3")
array([ 1.015625e-01,  3.250000e+00, -4.480000e+02,  4.480000e+02],
      dtype=float32)
>>> bitlaw.encode(x, "e4m3")
array([ 29,  69, 254, 126], dtype=uint8)

Everything is computed by the C++ library: `bitlaw` on the command line gives the same bits. Mistakes are ValueErrors with
the library's words: what is wrong, what follows, what helps.
"""

from bitlaw import _core
from bitlaw._core import Accumulator, Block, Format, Packed
from bitlaw._files import Sweep, command, load, report, run
from bitlaw._fits import Fit, fit, law, laws
from bitlaw._products import accumulators, gemm, hadamard
from bitlaw._rounding import block_presets, decode, encode, formats, pack, packed, quantize, unpack

__version__: str = _core.version

__all__ = [
    "Accumulator", "Block", "Fit", "Format", "Packed", "Sweep", "accumulators", "block_presets", "command", "decode", "encode",
    "fit", "formats", "gemm", "hadamard", "law", "laws", "load", "pack", "packed", "quantize", "report", "run",
    "unpack",
]
