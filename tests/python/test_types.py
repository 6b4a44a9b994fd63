"""The stub of the extension module is strictly typed, and mypy sees in a user's file what the package returns."""

import pathlib
import shutil
import subprocess
import sys

import bitlaw
import pytest

pytest.importorskip("mypy")

PACKAGE = pathlib.Path(bitlaw.__file__).parent
PATTERNS = pathlib.Path(__file__).resolve().parents[2] / "notebooks" / "python" / "binding" / "stub.nbpat"

USE = """import bitlaw
import numpy as np

x = np.ones((4, 32), np.float32)
q = bitlaw.quantize(x, "nvfp4", rounding="stochastic", key=1)
f = bitlaw.Format("e4m3")
reveal_type(f.bits)
reveal_type(bitlaw.Block("mxfp4").bits_per_element(4, 32))
reveal_type(bitlaw.Block("mxfp4").element)
reveal_type(bitlaw.load("sweep.h5").fits["chinchilla"].estimates["E"])
reveal_type(f == "e4m3")
"""
TYPES = ["builtins.int", "builtins.float", "bitlaw._core.Format", "builtins.float", "builtins.bool"]


@pytest.fixture(scope="module")
def typed(tmp_path_factory):
    """A folder with the package's Python files and its stub: the installed one, or else one made as the installation does."""
    package = tmp_path_factory.mktemp("typed") / "bitlaw"
    package.mkdir()
    for file in [*PACKAGE.glob("*.py"), *PACKAGE.glob("*.pyi"), PACKAGE / "py.typed"]:
        shutil.copy(file, package)
    if not (package / "_core.pyi").exists():
        pytest.importorskip("nanobind")
        subprocess.run([sys.executable, "-m", "nanobind.stubgen", "-q", "-m", "bitlaw._core", "-p", PATTERNS, "-O", package],
                       check=True)
    return package.parent


def mypy(folder, *words):
    # Types of libraries without stubs are not this package's; what numpy's stubs import is.
    done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "--follow-imports=silent",
                           "--cache-dir", folder / "cache", *words], cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_the_stub_passes_strictly(typed):
    assert mypy(typed, "bitlaw/_core.pyi") == (0, "Success: no issues found in 1 source file\n")


def test_a_users_file_has_types(typed):
    (typed / "use.py").write_text(USE)
    code, said = mypy(typed, "use.py")
    notes = [line for line in said.splitlines() if "Revealed type" in line]
    assert code == 0, said
    assert [note.split('"')[1] for note in notes] == TYPES


def test_a_users_mistake_is_found(typed):
    (typed / "mistake.py").write_text('import bitlaw\nbitlaw.Format("e4m3").bitz\nbitlaw.Format(3)\n')
    code, said = mypy(typed, "mistake.py")
    assert code == 1 and '"Format" has no attribute "bitz"' in said and "expected \"str\"" in said
