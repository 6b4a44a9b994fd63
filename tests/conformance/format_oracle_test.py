"""Our formats, roundings and block scales against ml_dtypes, gfloat and numpy, bit for bit.

    format_oracle_test.py QUANTIZE_STREAM [--exhaustive [FORMAT...]]

By default a sample of each format, in seconds. --exhaustive: ml_dtypes' formats with all 2^32 float32, about a minute
of processor time a format. Exit code 77 (skipped) where a package is missing: scripts/setup.sh dev installs those of
requirements.txt into build/oracle-venv.
"""

import sys

try:
    import gfloat  # noqa: F401
    import ml_dtypes  # noqa: F401
    import numpy  # noqa: F401
except ImportError as error:
    print(f"SKIP: {error}; scripts/setup.sh dev installs it, from the Python Package Index, into build/oracle-venv")
    sys.exit(77)

import format_oracle_blocks
import format_oracle_gfloat
import format_oracle_ml_dtypes


def main():
    if "--exhaustive" in sys.argv:
        return format_oracle_ml_dtypes.check_exhaustively(sys.argv[3:] or format_oracle_ml_dtypes.TYPES)
    return format_oracle_ml_dtypes.check_samples() + format_oracle_gfloat.check() + format_oracle_blocks.check()


if __name__ == "__main__":
    failures = main()
    for failure in failures:
        print("FAILED", failure)
    sys.exit(1 if failures else 0)
