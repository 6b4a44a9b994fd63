"""bitlaw quantize on the files that NumPy and h5py write, its numbers and statistics against NumPy's own arithmetic.

Usage: quantize_file_test.py BITLAW, the program.
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
except ImportError as error:
    print(f"SKIP: {error}; install python3-numpy python3-h5py")
    sys.exit(77)

NORMAL = np.random.default_rng(1).normal(size=(33, 7, 96))


def mxfp4(x):
    """OCP MX v1.0, section 6.3, along the last axis in blocks of 32: the values, and how many saturate."""
    grid = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])
    blocks = x.astype("f8").reshape(-1, 32)
    amax = np.abs(blocks).max(axis=1, keepdims=True)
    scale = np.exp2(np.frexp(amax)[1] - 1 - 2)
    v = np.abs(blocks / scale)
    distance = np.abs(v[..., None] - grid)
    nearest = distance.min(axis=-1, keepdims=True)
    even_first = distance + np.arange(8) % 2 * 1e-12  # of two at the same distance, the even code
    q = grid[np.where(distance == nearest, even_first, np.inf).argmin(axis=-1)]
    return (np.copysign(q, blocks) * scale).reshape(x.shape), int((v > 6).sum())


class Quantize(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)

    def tearDown(self):
        self.temporary.cleanup()

    def bitlaw(self, *words):
        done = subprocess.run([BITLAW, "quantize", *words, "--json"], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def quantize(self, x, *words, out="q.npy"):
        np.save(self.folder / "x.npy", x)
        self.report = self.bitlaw("x.npy", *words, "--out", out)
        return np.load(self.folder / out)

    def assert_same(self, a, b):
        self.assertEqual(a.dtype, b.dtype)
        self.assertEqual(a.shape, b.shape)
        np.testing.assert_array_equal(a, b)

    def test_npy_of_every_shape_order_and_byte_order_keeps_its_shape_and_order(self):
        arrays = [np.float32(0.3), np.zeros(0), np.zeros((3, 0, 2)), NORMAL[0, 0], NORMAL, np.asfortranarray(NORMAL),
                  np.asfortranarray(NORMAL[:, 0]), NORMAL[:, :, ::3]]
        for x in arrays:
            for kind in ("<f2", "<f4", "<f8", ">f2", ">f4", ">f8"):
                with self.subTest(shape=np.shape(x), kind=kind):
                    x = np.asanyarray(x).astype(kind, order="K")
                    q = self.quantize(x, "--to", "float16", "--overflow", "infinity")
                    self.assert_same(q, x.astype("f2").astype(kind[1:]))
                    self.assertEqual(q.flags.f_contiguous, x.flags.f_contiguous)
                    self.assertEqual(self.report["shape"], list(x.shape))

    def test_npy_formats_2_and_3(self):
        for version in ((1, 0), (2, 0), (3, 0)):
            with open(self.folder / "v.npy", "wb") as file:
                np.lib.format.write_array(file, NORMAL, version=version)
            self.bitlaw("v.npy", "--to", "binary64", "--out", "q.npy")
            self.assert_same(np.load(self.folder / "q.npy"), NORMAL)

    def test_header_is_that_of_numpy(self):
        for x in (np.float32(1), np.zeros(0), NORMAL, np.asfortranarray(NORMAL)):
            self.quantize(x, "--to", "binary64" if x.dtype == np.float64 else "binary32")
            with open(self.folder / "x.npy", "rb") as ours, open(self.folder / "q.npy", "rb") as theirs:
                self.assertEqual(ours.read(), theirs.read())

    def test_casts_that_numpy_has_agree_bit_for_bit(self):
        wide = np.ldexp(np.random.default_rng(2).uniform(-2, 2, 200000), np.random.default_rng(3).integers(-30, 18, 200000))
        specials = [0.0, -0.0, np.inf, -np.inf, 65504, 65519.999, 65520, 2**-24, 2**-25, 2**-25 * 1.0000001, 2**-14]
        x = np.concatenate([wide, specials, np.negative(specials)])
        with np.errstate(over="ignore"):
            half, single = x.astype("f2"), x.astype("f4")
        self.assert_same(self.quantize(x, "--to", "binary16", "--overflow", "infinity"), half.astype("f8"))
        self.assert_same(self.quantize(x, "--to", "binary16", "--overflow", "infinity", "--codes"), half.view("u2"))
        self.assert_same(self.quantize(x, "--to", "binary32", "--overflow", "infinity"), single.astype("f8"))
        self.assert_same(self.quantize(x, "--to", "binary32", "--overflow", "infinity", "--codes"), single.view("u4"))
        self.assert_same(self.quantize(x, "--to", "binary64", "--overflow", "infinity", "--codes"), x.view("u8"))
        bits = single.view("u4").astype("u8")
        bfloat16 = ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("u2")
        self.assert_same(self.quantize(single, "--to", "bfloat16", "--overflow", "infinity", "--codes"), bfloat16)

    def test_statistics_are_those_of_numpy(self):
        x = np.concatenate([NORMAL.ravel() * 100, [np.nan, np.inf, -np.inf, 0, 1e-9, 1e9]])
        for kind, to, most in (("f4", "e4m3", 448), ("f8", "e2m1", 6), ("f2", "e5m2", 57344)):
            with np.errstate(over="ignore"):
                v = x.astype(kind)
            q = self.quantize(v, "--to", to).astype("f8")
            v = v.astype("f8")
            s, finite = self.report, np.isfinite(v)
            a, b = v[finite], q[finite]
            self.assertEqual(s["elements"], v.size)
            self.assertEqual(s["finite"], a.size)
            self.assertEqual(s["clipped"], (np.abs(a) > most).sum())
            self.assertEqual(s["clip_rate"], (np.abs(a) > most).sum() / a.size)
            self.assertEqual(s["underflowed"], ((a != 0) & (b == 0)).sum())
            self.assertEqual(s["underflow_rate"], ((a != 0) & (b == 0)).sum() / (a != 0).sum())
            self.assertEqual((s["nan_in"], s["nan_out"]), (np.isnan(v).sum(), np.isnan(q).sum()))
            self.assertEqual((s["inf_in"], s["inf_out"]), (np.isinf(v).sum(), np.isinf(q).sum()))
            self.assertEqual(s["max_abs_error"], np.abs(a - b).max())
            snr = 10 * np.log10((a**2).sum() / ((a - b) ** 2).sum())
            self.assertAlmostEqual(s["snr_db"], snr, delta=1e-9)  # sums of 22,000 squares in another order

    def test_blocks_lie_along_the_last_axis_in_either_order(self):
        x = NORMAL.astype("f4")
        expected, clipped = mxfp4(x)
        for order in "CF":
            q = self.quantize(np.asarray(x, order=order), "--block", "mxfp4")
            self.assert_same(q, expected.astype("f4"))
            self.assertEqual(self.report["clipped"], clipped)

    def test_stored_blocks_decode_to_the_values(self):
        """With NumPy alone: codes in the order of the file, low bits first; scales [rows of blocks, blocks in a row]."""
        e2m1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])
        e2m1 = np.concatenate([e2m1, -e2m1]).astype("f4")
        code = np.arange(256)
        ue4m3 = np.where(code < 8, code * 2.0**-9, np.ldexp(8.0 + code % 8, code // 8 - 10)).astype("f4")
        e8m0 = np.ldexp(np.float32(1), np.minimum(code, 254) - 127)
        x = NORMAL.astype("f4")
        for preset, table, scale_of, size in (
                ("mxfp4", e2m1, lambda s: e8m0[s], 32), ("nvfp4", e2m1, lambda s: ue4m3[s], 16),
                ("int4_g32", np.float32([0, 1, 2, 3, 4, 5, 6, 7, 0, -7, -6, -5, -4, -3, -2, -1]),
                 lambda s: s.view("<f4")[..., 0], 32)):
            for order in "CF":
                with self.subTest(preset=preset, order=order):
                    q = self.quantize(np.asarray(x, order=order), "--block", preset, "--codes-out", "c.npy",
                                      "--scales-out", "s.npy")
                    packed, scales = np.load(self.folder / "c.npy"), np.load(self.folder / "s.npy")
                    values = table[np.stack([packed & 15, packed >> 4], axis=-1)]
                    decode = scale_of(scales) * np.float32(self.report.get("tensor_scale", 1))
                    decode = np.repeat(decode, size, axis=1 if order == "C" else 0)
                    in_order = [a.ravel().reshape(x.shape, order=order) for a in (values, decode)]
                    self.assert_same(in_order[0] * in_order[1], q)

    def test_rotation_is_that_of_the_hadamard_matrix(self):
        h = np.array([[1.0]])
        while len(h) < 16:
            h = np.block([[h, h], [h, -h]])
        x = np.random.default_rng(5).integers(-50, 50, size=(7, 3, 64)).astype("f4")  # so all sums are exact
        rotated = (x.reshape(7, 3, 4, 16) @ h / 4).reshape(x.shape)
        for order in "CF":
            q = self.quantize(np.asarray(x, order=order), "--block", "mxfp4", "--rotate", "16", "--rotate-signs", "none")
            self.assert_same(q, mxfp4(rotated)[0].astype("f4"))

    def test_hdf5_datasets_of_several_parts_types_and_layouts(self):
        big = np.random.default_rng(4).normal(size=(2, 1100, 1001))  # an index of the first axis is more than a part
        arrays = {"plain": big.astype("<f4"), "group/deep": big.astype(">f8"), "scalar": np.float64(0.3),
                  "empty": np.zeros((0, 4), "f4"), "half": NORMAL.astype("f2"), "row": big.reshape(1, -1).astype("f4")}
        with h5py.File(self.folder / "x.h5", "w") as file:
            for name, x in arrays.items():
                file[name] = x
            file.create_dataset("packed", data=big.astype("f4"), chunks=(2, 64, 100), compression="gzip", shuffle=True)
        for name, x in (arrays | {"packed": arrays["plain"]}).items():
            for codes in (False, True):
                with self.subTest(name=name, codes=codes):
                    words = ["--to", "float16", "--round", "ties_to_even"] + ["--codes"] * codes
                    self.bitlaw(f"x.h5:/{name}", *words, "--out", "q.h5")
                    with h5py.File(self.folder / "q.h5") as file:
                        self.assertEqual(file[name].attrs["bitlaw_format"], b"float16")
                        self.assertEqual(file[name].attrs["bitlaw_content"], b"codes" if codes else b"values")
                        self.assertEqual(file[name].attrs["bitlaw_conversion"],
                                         b"round=ties_to_even overflow=saturate nan=propagate")
                        half = np.asarray(x).astype("f2")
                        expected = half.view("u2") if codes else half.astype(np.asarray(x).dtype.newbyteorder("<"))
                        self.assert_same(file[name][()] if np.shape(x) else np.asarray(file[name][()]), expected)

    def test_from_one_kind_of_file_to_another(self):
        x = NORMAL.astype("f4")
        np.save(self.folder / "x.npy", x)
        self.bitlaw("x.npy", "--to", "binary32", "--out", "q.h5:/a/b")
        with h5py.File(self.folder / "q.h5") as file:
            self.assert_same(file["a/b"][()], x)
        self.bitlaw("q.h5:/a/b", "--to", "binary32", "--out", "q.f32")
        self.assert_same(np.fromfile(self.folder / "q.f32", "f4"), x.ravel())
        self.bitlaw("q.f32", "--to", "binary32", "--out", "back.npy")
        self.assert_same(np.load(self.folder / "back.npy"), x.ravel())


if __name__ == "__main__":
    unittest.main()
