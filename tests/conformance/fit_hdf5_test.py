"""bitlaw fit on tables that h5py and pandas write to HDF5, against the same fit of a CSV of the same rows.

Usage: fit_hdf5_test.py BITLAW, the program.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

BITLAW = sys.argv.pop()

try:
    import h5py
    import numpy as np
    import pandas as pd
    import tables  # what to_hdf writes with
except ImportError as error:
    print(f"SKIP: {error}; install python3-numpy python3-h5py python3-pandas python3-tables")
    sys.exit(77)


def rows():
    """Losses of Chinchilla's law (Hoffmann et al. 2022) with 0.1% of noise, and columns beside them."""
    random = np.random.default_rng(1)
    params, tokens = (x.ravel() for x in np.meshgrid(np.geomspace(1e7, 1e9, 6), np.geomspace(2e8, 2e10, 5)))
    loss = 1.69 + 406.4 / params**0.34 + 410.7 / tokens**0.28
    return pd.DataFrame({
        "params": np.round(params).astype("i8"), "tokens": tokens, "loss": loss * np.exp(random.normal(0, 1e-3, 30)),
        "precision": np.where(np.arange(30) % 2 == 0, "bf16", "float32"), "kept": np.arange(30) < 28})


class Fit(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        self.rows = rows()
        self.rows.assign(kept=self.rows["kept"].astype(int)).to_csv(self.folder / "runs.csv", index=False)

    def tearDown(self):
        self.temporary.cleanup()

    def fit(self, data, *words):
        command = [BITLAW, "fit", "chinchilla", data, "--map", "N=params,D=tokens", *words, "--bootstrap", "0", "--json"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def assert_same_fits(self, data):
        """Of all rows, and of those that a text, a truth value and numbers choose."""
        for words, count in (((), 30), (("--where", 'precision == "bf16" and kept == 1'), 14),
                             (("--where", "params < 5e8"), 25)):
            with self.subTest(data=data, words=words):
                expected, found = self.fit("runs.csv", *words), self.fit(data, *words)
                self.assertEqual(found["n"], count)
                for key in ("n", "objective", "parameters", "covariance"):
                    self.assertEqual(found[key], expected[key])

    def test_columns_of_a_group(self):
        with h5py.File(self.folder / "a.h5", "w") as file:
            group = file.create_group("sweeps/first")
            for name in self.rows:
                text = name == "precision"
                group.create_dataset(name, data=self.rows[name].to_numpy(), dtype=h5py.string_dtype() if text else None,
                                     compression="gzip")
        self.assert_same_fits("a.h5:/sweeps/first")

    def test_compound_dataset(self):
        with h5py.File(self.folder / "a.h5", "w") as file:
            file["runs"] = self.rows.to_records(index=False, column_dtypes={"precision": "S7", "params": ">i8"})
        self.assert_same_fits("a.h5:/runs")

    def test_table_of_pandas_in_blocks_and_in_columns(self):
        for data_columns in (None, True):
            self.rows.to_hdf(self.folder / "a.h5", "runs", mode="w", format="table", data_columns=data_columns)
            self.assert_same_fits("a.h5:/runs")

    def test_fixed_format_of_pandas_is_refused_with_the_other(self):
        self.rows.drop(columns="precision").to_hdf(self.folder / "a.h5", "runs", mode="w", format="fixed")
        done = subprocess.run([BITLAW, "fit", "chinchilla", "a.h5:/runs"], cwd=self.folder, capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn('to_hdf with format="table"', done.stderr)


if __name__ == "__main__":
    unittest.main()
