"""bitlaw doctor FILE.h5: files of ours pass, also with what other libraries add; each rule, broken once by h5py, is told.

Usage: doctor_file_test.py BITLAW FOLDER RESULTS: the program, the folder of write_planted_sweep, data/results.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

RESULTS, PLANTED, BITLAW = pathlib.Path(sys.argv.pop()), pathlib.Path(sys.argv.pop()) / "planted.h5", sys.argv.pop()

try:
    import h5netcdf
    import h5py
    import netCDF4
    import numpy as np
except ImportError as error:
    print(f"SKIP: {error}; install python3-h5netcdf python3-h5py python3-netcdf4")
    sys.exit(77)

FIT = "fits/chinchilla_float32"


def doctor(path, *words):
    return subprocess.run([BITLAW, "doctor", path, *words], capture_output=True, text=True)


def rewrite(group, name, values, scales=None, **options):
    """The dataset anew with other values, all else as it was."""
    old = group[name]
    scales = [axis[0] if len(axis) else None for axis in old.dims] if scales is None else scales
    attributes = {k: v for k, v in old.attrs.items() if k not in ("CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST")}
    options.setdefault("dtype", old.dtype)
    del group[name]
    new = group.create_dataset(name, data=values, track_order=options.pop("track_order", True), **options)
    for key, value in attributes.items():
        new.attrs[key] = value
    for axis, scale in enumerate(scales):
        if scale is not None:
            new.dims[axis].attach_scale(scale)


def set_value(group, name, index, value):
    group[name][index] = value


def set_row(file, column, row, value):
    rows = file["tables/runs"][:]
    rows[column][row] = value
    file["tables/runs"][:] = rows


def drop_column(file, column):
    rows = file["tables/runs"][:]
    kept = [name for name in rows.dtype.names if name != column]
    del file["tables/runs"]
    file["tables"].create_dataset("runs", data=rows[kept], maxshape=(None,), chunks=(16,), track_order=True)


def short_dimension(file):
    """A dimension of two on variables of three."""
    del file["runs/run"]
    scale = file["runs"].create_dataset("run", data=np.zeros(2, ">f4"), track_order=True)
    scale.make_scale("This is a netCDF dimension but not a netCDF variable.         2")
    for name, dataset in file["runs"].items():
        if name != "run":
            del dataset.attrs["DIMENSION_LIST"]
            dataset.dims[0].attach_scale(scale)


def group_without_order(file):
    attributes = dict(file["tables"].attrs)
    rows = file["tables/runs"]
    new = file.create_group("other", track_order=False)
    file.copy(rows, new, "runs")
    new.attrs.update(attributes)
    del file["tables"]
    file.move("other", "tables")


def delete(*path):
    return lambda file: file[path[0]].__delitem__(path[1])


def delete_attribute(path, name):
    return lambda file: file[path].attrs.__delitem__(name)


# Rule: how a file is made to break it, and what the message says: where, and what.
DAMAGES = {
    "a root attribute is missing": (delete_attribute("/", "git_commit"), ["", "no attribute 'git_commit'"]),
    "the configuration of the runs is missing": (delete_attribute("runs", "config_common"), [":/runs", "config_common"]),
    "a group is missing": (delete("/", "curves"), [":", "has no 'curves'"]),
    "a group that our reader does not need is missing": (delete("/", "tables"), [":/tables", "is missing"]),
    "a variable is missing": (delete("runs", "loss"), [":/runs", "has no 'loss'"]),
    "a variable that our reader does not need is missing": (delete("curves", "run_id"), [":/curves/run_id", "is missing"]),
    "a variable of a fit is missing": (delete(FIT, "residual"), [f":/{FIT}/residual", "is missing"]),
    "a dataset is a group": (lambda f: (delete("curves", "run_id")(f), f["curves"].create_group("run_id")),
                             [":/curves/run_id", "is no dataset"]),
    "a dimension is detached": (lambda f: f["runs/loss"].dims[0].detach_scale(f["runs/run"]),
                                [":/runs/loss", "no dimension scale 'run' on axis 0"]),
    "a dimension is gone": (delete("runs", "run"), [":/runs/run", "is missing"]),
    "a dimension has another length": (short_dimension, [":/runs/run", "shape [2]"]),
    "the length of an attached dimension is another": (short_dimension, [":/runs/loss", "3 values", "'run' 2"]),
    "a coordinate is no scale": (lambda f: rewrite(f[FIT], "bound", f[FIT]["bound"][:]),
                                 [f":/{FIT}/bound", "is no dimension scale"]),
    "units are missing": (delete_attribute("runs/loss", "units"), [":/runs/loss", "no attribute 'units'"]),
    "units are others": (lambda f: f["runs/loss"].attrs.__setitem__("units", "bit"), [":/runs/loss", "'bit'", "'nat'"]),
    "units are no text": (lambda f: f["runs/loss"].attrs.__setitem__("units", 1), [":/runs/loss", "'units' is no text"]),
    "long_name is missing": (delete_attribute("curves/step", "long_name"), [":/curves/step", "no attribute 'long_name'"]),
    "long_name is empty": (lambda f: f["curves/step"].attrs.__setitem__("long_name", ""),
                           [":/curves/step", "empty long_name"]),
    "the fill value is missing": (delete_attribute("runs/loss", "_FillValue"), [":/runs/loss", "'_FillValue'"]),
    "a variable does not track creation order": (lambda f: rewrite(f["runs"], "loss", f["runs/loss"][:], track_order=False),
                                                 [":/runs/loss", "order"]),
    "a group does not track creation order": (group_without_order, [":/tables", "order"]),
    "a variable has a null dataspace": (lambda f: rewrite(f["runs"], "loss", h5py.Empty("f8"), scales=[]),
                                        [":/runs/loss", "null dataspace"]),
    "an attribute has a null dataspace": (lambda f: f["runs"].attrs.__setitem__("config_common", h5py.Empty("S1")),
                                          [":/runs", "'config_common'", "null dataspace"]),
    "something added has a null dataspace": (lambda f: f.create_dataset("mine", data=h5py.Empty("f8")),
                                             [":/mine", "null dataspace"]),
    "a variable is of another type": (lambda f: rewrite(f["runs"], "tokens", f["runs/tokens"][:], dtype="f4"),
                                      [":/runs/tokens", "another type"]),
    "a variable has another length": (lambda f: rewrite(f["runs"], "loss", [1.0, 2.0], scales=[]),
                                      [":/runs", "'loss' has 2 values for 3 runs"]),
    "row sizes are beyond the points": (lambda f: set_value(f["curves"], "row_size", 0, 7), [":/curves", "row_size"]),
    "a table's row is another": (lambda f: set_row(f, "loss", 2, 7), [":/tables/runs", "'loss'", "row 2"]),
    "a table has fewer rows": (lambda f: f["tables/runs"].resize((2,)), [":/tables/runs", "shape [2]"]),
    "a table lacks a column": (lambda f: drop_column(f, "tokens"), [":/tables/runs", "no column 'tokens'"]),
    "a column of the configuration is another": (lambda f: set_value(f["runs"], "config.model.width", 1, 65),
                                                 [":/runs/config.model.width", "element 1 is '65'", "'64'"]),
    "an id is there twice": (lambda f: set_value(f["runs"], "run_id", 2, "00aa"), [":/runs/run_id", "run 2", "'00aa'"]),
    "a finite loss of a diverged run": (lambda f: set_value(f["runs"], "loss", 1, 2.5), [":/runs/loss", "run 1 ('00bb')"]),
    "no loss of a run that did not diverge": (lambda f: set_value(f["runs"], "loss", 0, np.nan), [":/runs/loss", "'00aa'"]),
    "draws are of another shape": (lambda f: rewrite(f[f"{FIT}/posterior"], "E", np.ones((3, 1)), scales=[]),
                                   [f":/{FIT}/posterior/E", "shape [3, 1]", "[1, 3]"]),
    "draws of a parameter are fewer": (lambda f: rewrite(f[f"{FIT}/posterior"], "E", np.ones((1, 2)), scales=[]),
                                       [f":/{FIT}/posterior", "ragged draws"]),
    "draws of a parameter are missing": (delete(f"{FIT}/posterior", "A"), [f":/{FIT}/posterior", "no 'A'"]),
    "a fit has fewer errors than parameters": (lambda f: rewrite(f[FIT], "se", [0.25], scales=[]),
                                               [f":/{FIT}", "unequal length"]),
    "residuals are others": (lambda f: set_value(f[FIT], "residual", 1, 0.5), [f":/{FIT}/residual", "element 1 is '0.5'"]),
}


class Doctor(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.file = pathlib.Path(temporary.name, "sweep.h5")
        shutil.copy(PLANTED, self.file)

    def assert_sound(self, path, runs):
        done = doctor(path)
        self.assertEqual((done.stdout, done.stderr), (f"{path}: {runs} runs looked at, 0 findings\n", ""))
        self.assertEqual(done.returncode, 0)

    def test_files_of_ours_are_sound(self):
        self.assert_sound(PLANTED, 3)
        self.assert_sound(PLANTED.with_name("empty.h5"), 0)
        self.assert_sound(PLANTED.with_name("fits.h5"), 0)
        for file, runs in (("fp_quantization_law.h5", 144), ("qat_law.h5", 160)):
            self.assert_sound(RESULTS / file, runs)

    def test_what_others_add_is_allowed(self):
        with netCDF4.Dataset(self.file, "a") as file:
            file["runs"].createVariable("note", "f8", ("run",))[:] = np.full(3, 1.5)
            file.createGroup("mine").note = "seen"
        with h5netcdf.File(self.file, "a") as file:
            file["curves"].create_variable("mine", ("point",), "f4")[:] = 2
        with h5py.File(self.file, "a") as file:
            file["fits"].attrs["seen"] = True
            file["notes/plain"] = [1, 2]
        self.assert_sound(self.file, 3)

    def test_each_rule_is_told_by_place_when_it_is_broken(self):
        for rule, (damage, (place, *words)) in DAMAGES.items():
            with self.subTest(rule):
                shutil.copy(PLANTED, self.file)
                with h5py.File(self.file, "r+") as file:
                    damage(file)
                done = doctor(self.file, "--json")
                self.assertEqual((done.returncode, done.stderr), (1, ""))
                said = json.loads(done.stdout)
                self.assertEqual(said["file"], str(self.file))
                self.assertEqual({finding["kind"] for finding in said["findings"]}, {"damaged sweep file"})
                messages = [finding["message"] for finding in said["findings"]]
                self.assertTrue(any(m.startswith(f"{self.file}{place}") and all(w in m for w in words)
                                    for m in messages), messages)
                for message in messages:
                    self.assertRegex(message, r"^[^ ]+: .+, (so|which|where) .+; .+$")
                    self.assertNotIn("\n", message)

    def test_one_damage_is_told_once(self):
        with h5py.File(self.file, "r+") as file:
            del file["runs/loss"].attrs["units"]
        self.assertEqual(len(json.loads(doctor(self.file, "--json").stdout)["findings"]), 1)

    def test_what_is_no_file_of_ours_is_wrong_input(self):
        """Exit code 2, nothing on standard output, one line that names the file."""
        text, other, newer, none = (self.file.with_name(name) for name in ("a.h5", "b.h5", "c.h5", "d.h5"))
        text.write_text("loss,tokens\n")
        with h5py.File(other, "w") as file:
            file["loss"] = [1.0]
        shutil.copy(PLANTED, newer)
        with h5py.File(newer, "r+") as file:
            file.attrs["schema_version"] = 2
        whole = PLANTED.read_bytes()
        self.file.write_bytes(whole[:len(whole) // 2])
        flipped = self.file.with_name("e.h5")
        flipped.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
        for path, word in ((self.file, "truncated"), (text, "not an HDF5 file"), (other, "not a sweep file"),
                           (newer, "schema version 2"), (none, "no such file"), (flipped, "is damaged")):
            with self.subTest(path.name):
                done = doctor(path)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(word, done.stderr)
                self.assertIn(f"{path}: ", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=1)
