"""Each example of core/record/README.md runs and shows the values that tests/core/record/planted_sweep.h wrote.

Usage: readers_test.py FOLDER README, the folder of write_planted_sweep. Examples whose library is missing are skipped.
"""
import importlib.util
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import warnings

README, FOLDER = (pathlib.Path(sys.argv.pop()).resolve() for _ in range(2))
EXAMPLES = re.findall(r"```(\w+)\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
TRIED = set()


def example(language, word):
    """The one example in a language with a word in it."""
    found = [text for of, text in EXAMPLES if of == language and word in text]
    assert len(found) == 1, (language, word, len(found))
    TRIED.add(found[0])
    return found[0]


def is_missing(library):
    return importlib.util.find_spec(library) is None


def r_with_ncdf4():
    program = shutil.which("Rscript")
    found = program and subprocess.run([program, "-e", "library(ncdf4)"], capture_output=True).returncode == 0
    return program if found else None


class Readers(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(temporary.name)
        shutil.copy(FOLDER / "planted.h5", "sweep.h5")

    def python(self, library):
        """The names that an example defines."""
        text = example("python", f"import {library}\n")
        if is_missing(library):
            self.skipTest(f"no {library} in this Python; scripts/setup.sh dev makes one with it")
        names = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of libraries about themselves
            exec(text, names)
        return names

    def test_xarray(self):
        names = self.python("xarray")
        self.assertEqual(list(names["losses"].values), [0.1 + 0.2, 2.125])
        self.assertEqual((names["low"], names["high"]), (1.0, 2.0))

    def test_h5py(self):
        curves = self.python("h5py")["curves"]
        self.assertEqual([list(curve) for curve in curves], [[5.5, 5.25, 5.0], [], [-0.0]])

    def test_netcdf4(self):
        self.python("netCDF4")
        import xarray
        with xarray.open_dataset("sweep.h5", group="runs", engine="netcdf4") as runs:
            self.assertAlmostEqual(runs.note.values[2], math.log2(math.e) * 2.125, delta=1e-14)
            self.assertEqual(runs.note.attrs["units"], "bit")
            self.assertEqual(list(runs.run_id.values), ["00aa", "00bb", "00cc"])

    def test_pandas(self):
        names = self.python("pandas")
        self.assertEqual(list(names["table"].config_model_width), [32, 64, 32])
        self.assertAlmostEqual(names["means"]["float32"], (0.3 + 2.125) / 2, delta=1e-15)

    def test_pytables(self):
        self.assertEqual(list(self.python("tables")["rows"]["run_id"]), [b"00aa"])

    def test_arviz(self):
        names = self.python("arviz")
        posterior = names["data"].posterior
        self.assertEqual(dict(posterior.sizes), {"chain": 1, "draw": 3})
        self.assertEqual(list(posterior.E.values[0]), [1.25, 1.5, 1.75])
        self.assertEqual(list(names["summary"]["mean"]), [1.5, 400.0])

    def test_r(self):
        text = example("r", "library(ncdf4)")
        program = r_with_ncdf4()
        if program is None:
            self.skipTest("no R with ncdf4; install r-cran-ncdf4")
        pathlib.Path("example.R").write_text(text + 'cat(format(loss[3], digits = 17), units, length(loss), "\\n")\n')
        done = subprocess.run([program, "example.R"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout.split()), (0, ["2.125", "nat", "3"]), done.stderr)

    def test_command_line(self):
        said = [subprocess.run(line.split(), check=True, capture_output=True, text=True).stdout
                for line in example("sh", "ncdump").splitlines()]
        self.assertIn("double loss(run) ;", said[0])
        self.assertIn("loss = 0.3, _, 2.125 ;", said[1])
        self.assertIn('DATASET "/runs/loss"', said[2])
        self.assertIn("(0): 0.3, nan, 2.125", said[2])

    def test_z_every_example_was_tried(self):
        self.assertEqual(TRIED, {text for _, text in EXAMPLES})


if __name__ == "__main__":
    unittest.main(verbosity=1)
