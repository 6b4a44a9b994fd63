"""A sweep file opens in the tools that people use and shows the values that tests/core/record/planted_sweep.h wrote.

Usage: sweep_file_test.py FOLDER, where write_planted_sweep has left planted.h5 and empty.h5.
"""
import math
import pathlib
import re
import shutil
import subprocess
import sys
import time
import unittest
import warnings

FOLDER = pathlib.Path(sys.argv.pop())
PLANTED, EMPTY = FOLDER / "planted.h5", FOLDER / "empty.h5"

try:
    import h5netcdf
    import h5py
    import netCDF4
    import numpy as np
    import pandas as pd
    import tables
    import xarray as xr
except ImportError as error:
    print(f"SKIP: {error}; install python3-xarray python3-h5netcdf python3-netcdf4 python3-pandas python3-tables")
    sys.exit(77)

ENGINES = ["netcdf4", "h5netcdf"]
RUN_IDS = ["00aa", "00bb", "00cc"]
INT64 = np.iinfo(np.int64)


def group(path, name, engine):
    with xr.open_dataset(path, group=name, engine=engine) as data:
        return data.load()


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class CommandLine(unittest.TestCase):
    def test_h5dump_prints_the_header(self):
        header = output_of("h5dump", "-H", PLANTED)
        for name in ['GROUP "runs"', 'GROUP "curves"', 'GROUP "tables"', 'GROUP "chinchilla_float32"']:
            self.assertIn(name, header)
        output_of("h5dump", "-H", EMPTY)

    def test_h5dump_finds_no_null_dataspace(self):
        for path in (PLANTED, EMPTY):
            self.assertNotIn("DATASPACE  NULL", output_of("h5dump", path))

    def test_ncdump_knows_dimensions_and_groups_by_name(self):
        header = output_of("ncdump", "-h", PLANTED)
        self.assertNotIn("phony", header)
        for text in ["run = 3 ;", "point = 4 ;", "obs = 2 ;", "draw = 3 ;", "double loss(run) ;",
                     "double covariance(param, param2) ;", "double ci(param, bound) ;", "group: chinchilla_float32"]:
            self.assertIn(text, header)
        self.assertIn("group: runs", output_of("ncdump", "-h", EMPTY))


class Xarray(unittest.TestCase):
    def test_runs(self):
        for engine in ENGINES:
            with self.subTest(engine):
                runs = group(PLANTED, "runs", engine)
                self.assertEqual(dict(runs.sizes), {"run": 3})
                self.assertEqual(list(runs.run_id.values), RUN_IDS)
                self.assertEqual(runs.precision.values[1], 'mxfp4 "µ" <größer>')
                self.assertEqual(list(runs.params.values), [10240, INT64.max, 10240])
                self.assertEqual(runs.params_total.values[1], INT64.min)
                self.assertEqual(runs.seed.values[0], 2**64 - 1)
                self.assertEqual(runs.loss.values[0], 0.1 + 0.2)
                self.assertTrue(math.isnan(runs.loss.values[1]))
                self.assertEqual(list(runs.diverged.values), [0, 1, 0])
                self.assertTrue(math.isinf(runs.train_loss.values[1]))
                self.assertTrue(math.copysign(1, runs.flops.values[1]) == -1)
                self.assertEqual(runs.loss.attrs["units"], "nat")
                self.assertEqual(runs.state_hash.values[1], "")

    def test_every_variable_says_what_it_is(self):
        for name in ["runs", "curves", "fits/chinchilla_float32", "fits/chinchilla_float32/posterior"]:
            for variable in group(PLANTED, name, "netcdf4").variables.values():
                self.assertIn("units", variable.attrs)
                self.assertTrue(variable.attrs["long_name"])

    def test_configuration_keys_that_vary_keep_a_type_they_share(self):
        for engine in ENGINES:
            with self.subTest(engine):
                runs = group(PLANTED, "runs", engine)
                self.assertEqual(list(runs["config.model.width"].values), [32, 64, 32])
                self.assertTrue(np.issubdtype(runs["config.model.width"].dtype, np.integer))
                self.assertEqual(list(runs["config.optimizer.rate"].values), [0.003, 1.0, 0.003])
                self.assertEqual(list(runs["config.recipe"].values), ["float32", "日本", "float32"])
                self.assertEqual(list(runs["config.tied"].values), [0, 1, 0])
                self.assertEqual(list(runs["config.mixed"].values), ["1", "auto", "1"])
                np.testing.assert_array_equal(runs["config.only.here"].values, [math.nan, 7, math.nan])
                self.assertNotIn("config.model.ffn", runs)
                self.assertEqual(runs.attrs["config_common"], '{"corpus.kind":"text","model.ffn":0}')

    def test_curves_are_contiguous_ragged(self):
        for engine in ENGINES:
            with self.subTest(engine):
                curves = group(PLANTED, "curves", engine)
                self.assertEqual(list(curves.row_size.values), [3, 0, 1])
                self.assertEqual(list(curves.run_id.values), RUN_IDS)
                self.assertEqual(list(curves.step.values), [1, 2, 3, 1])
                self.assertEqual(list(curves.tokens.values), [1024, 2048, 3072, 512])
                self.assertEqual(list(curves.train_loss.values), [5.5, 5.25, 5.0, -0.0])
                self.assertEqual(curves.gradient_norm.values[2], 5e-324)

    def test_fit(self):
        for engine in ENGINES:
            with self.subTest(engine):
                fit = group(PLANTED, "fits/chinchilla_float32", engine)
                self.assertEqual(list(fit.param.values), ["E", "A"])
                self.assertEqual(float(fit.params.sel(param="E")), 1.5)
                self.assertEqual(float(fit.se.sel(param="E")), 0.25)
                self.assertEqual(float(fit.ci.sel(param="E", bound="high")), 2.0)
                self.assertEqual(float(fit.ci_bootstrap.sel(param="E", bound="low")), 1.125)
                self.assertEqual(float(fit.covariance.sel(param="E", param2="E")), 0.0625)
                self.assertEqual(list(fit.at_bound.values), [0, 1])
                self.assertEqual(list(fit.intervals_disagree.values), [0, 1])
                self.assertEqual(list(fit.param_units.values), ["nat", "nat"])
                self.assertEqual(list(fit.run_id.values), ["00aa", "00cc"])
                self.assertEqual(list(fit.predicted.values), [0.3, 2.0])
                self.assertAlmostEqual(fit.residual.values[1], math.log(2.125 / 2.0), delta=1e-15)
                self.assertEqual(fit.attrs["equation"], "L = E + A/N^alpha + B/D^beta")
                self.assertEqual(fit.attrs["converged"], 1)
                self.assertEqual(fit.attrs["condition_number"], 1234.5)
                self.assertEqual(list(fit.attrs["warnings"]), ["one D/N ray: α and β trade off", ""])
                refused = group(PLANTED, "fits/a_strange name", engine)
                self.assertEqual(refused.attrs["name"], "a/strange name")
                self.assertEqual(refused.sizes["param"], 0)

    def test_posterior_has_the_layout_of_arviz(self):
        """ArviZ schema: dimensions chain and draw lead, creation and library are attributes. ArviZ is no Debian
        package; readers_test.py tries its own reader."""
        for engine in ENGINES:
            with self.subTest(engine):
                posterior = group(PLANTED, "fits/chinchilla_float32/posterior", engine)
                self.assertEqual(posterior.E.dims, ("chain", "draw"))
                self.assertEqual(list(posterior.E.values[0]), [1.25, 1.5, 1.75])
                self.assertEqual(list(posterior.A.values[0]), [399.0, 400.0, 401.0])
                self.assertEqual(list(posterior.draw.values), [0, 1, 2])
                self.assertEqual(posterior.attrs["inference_library"], "bitlaw")
                self.assertRegex(posterior.attrs["created_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
                self.assertTrue(posterior.attrs["inference_library_version"])

    def test_root_attributes(self):
        for engine in ENGINES:
            with self.subTest(engine), xr.open_dataset(PLANTED, engine=engine) as root:
                self.assertEqual(root.attrs["title"], "Größe × Präzision")
                self.assertEqual(root.attrs["command"], "bitlaw run quickstart.yaml")
                self.assertEqual(root.attrs["schema_version"], 1)
                self.assertIn("# µ\n", root.attrs["config_yaml"])
                for name in ["Conventions", "program_version", "git_commit", "host", "cpu", "compiler", "created_at"]:
                    self.assertTrue(root.attrs[name], name)

    def test_a_sweep_without_runs(self):
        for engine in ENGINES:
            with self.subTest(engine):
                self.assertEqual(group(EMPTY, "runs", engine).sizes["run"], 0)
                self.assertEqual(group(EMPTY, "curves", engine).sizes["point"], 0)


class Tables(unittest.TestCase):
    def test_pandas_reads_the_table(self):
        runs = pd.read_hdf(PLANTED, "tables/runs")
        self.assertEqual(len(runs), 3)
        self.assertEqual(list(runs.run_id), RUN_IDS)
        self.assertEqual(runs.precision[1], 'mxfp4 "µ" <größer>')
        self.assertEqual(runs.loss[0], 0.1 + 0.2)
        self.assertTrue(math.isnan(runs.loss[1]))
        self.assertEqual(runs.seed[0], 2**64 - 1)
        self.assertEqual(list(runs.config_model_width), [32, 64, 32])
        self.assertEqual(runs.config_recipe[1], "日本")
        self.assertNotIn("wall_seconds", runs)
        self.assertEqual(len(pd.read_hdf(EMPTY, "tables/runs")), 0)

    def test_pytables_answers_queries_without_warnings(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with tables.open_file(str(PLANTED)) as file:
                rows = file.root.tables.runs.read_where("(loss > 1) & (config_model_width == 32)")
        self.assertEqual(list(rows["run_id"]), [b"00cc"])


class Hdf5(unittest.TestCase):
    def test_h5py(self):
        with h5py.File(PLANTED, "r") as file:
            self.assertEqual([text.decode() for text in file["runs/run_id"][:]], RUN_IDS)
            self.assertEqual(file["runs/loss"].dims[0][0].name, "/runs/run")
            self.assertEqual(file["runs/exponent_bits"].dtype, np.dtype("<i4"))
            self.assertEqual(list(file["fits"]), ["chinchilla_float32", "a_strange name"])
            self.assertEqual(file["tables/runs"].dtype["loss"], np.dtype("<f8"))

    def test_creation_order_is_tracked_and_indexed_everywhere(self):
        """What makes other netCDF-4 libraries able to write to the file."""
        wanted = h5py.h5p.CRT_ORDER_TRACKED | h5py.h5p.CRT_ORDER_INDEXED
        seen = []

        def check(name, item):
            properties = item.id.get_create_plist()
            self.assertEqual(properties.get_attr_creation_order(), wanted, name)
            if isinstance(item, h5py.Group):
                self.assertEqual(properties.get_link_creation_order(), wanted, name)
            seen.append(name)

        with h5py.File(PLANTED, "r") as file:
            check("/", file["/"])
            file.visititems(check)
        self.assertGreater(len(seen), 50)

    def test_a_second_write_has_the_same_bytes_but_for_the_date(self):
        copy = FOLDER / "second_write"
        time.sleep(1.1)  # created_at counts seconds
        subprocess.run([FOLDER.parent / "write_planted_sweep", copy], check=True)
        date = rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ|\nbitlaw seal [0-9a-f]{32}\n$"  # the seal covers the date
        first, second = PLANTED.read_bytes(), (copy / "planted.h5").read_bytes()
        self.assertNotEqual(first, second)
        self.assertEqual(re.sub(date, b"", first), re.sub(date, b"", second))


class Append(unittest.TestCase):
    """Other libraries may add to the file: the sharpest test of its dimensions and creation orders."""

    def check(self, path, rows):
        runs = group(path, "runs", "netcdf4")
        self.assertEqual(list(runs.note.values), [1.5] * rows)
        self.assertEqual(list(runs.run_id.values), RUN_IDS[:rows])
        self.assertEqual(dict(group(path, "fits", "h5netcdf").sizes), {})

    def test_netcdf4(self):
        for source, rows in ((PLANTED, 3), (EMPTY, 0)):
            with self.subTest(source.name):
                copy = shutil.copy(source, FOLDER / "appended.h5")
                with netCDF4.Dataset(copy, "a") as file:
                    file["runs"].createVariable("note", "f8", ("run",))[:] = np.full(rows, 1.5)
                    file.note = "seen"
                self.check(copy, rows)

    def test_h5netcdf(self):
        copy = shutil.copy(PLANTED, FOLDER / "appended.h5")
        with h5netcdf.File(copy, "a") as file:
            file["runs"].create_variable("note", ("run",), "f8")[:] = 1.5
        self.check(copy, 3)


if __name__ == "__main__":
    unittest.main(verbosity=1)
