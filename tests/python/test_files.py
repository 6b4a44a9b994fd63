"""bitlaw.load on the file that tests/core/record/planted_sweep.h describes, and bitlaw.run on an experiment of a second."""

import os
import pathlib

import bitlaw
import numpy as np
import pytest

TINY = """experiment: tiny
corpus: {kind: synthetic, vocabulary: 16, length: 4096}
model: {layers: 1, width: 16, heads: 2, context: 16}
training: {batch: 4, eval_tokens: 64}
sweep: {grid: {training.tokens: [512, 1024]}}
"""


@pytest.fixture(scope="module")
def planted():
    return bitlaw.load(pathlib.Path(os.environ["BITLAW_PLANTED"], "planted.h5"))


def test_runs_are_a_table(planted):
    runs = planted.runs
    assert list(runs["run_id"]) == ["00aa", "00bb", "00cc"]
    assert list(runs["loss"])[0::2] == [0.1 + 0.2, 2.125] and np.isnan(runs["loss"][1])
    assert runs["params"][1] == 2**63 - 1 and runs["seed"][0] == 2**64 - 1
    assert list(runs["config.model.width"]) == [32, 64, 32]
    assert planted.groups["/runs"]["loss"].attrs["units"] == "nat"


def test_curves_are_a_row_for_each_step(planted):
    curves = planted.curves
    assert list(curves["run"]) == [0, 0, 0, 2] and list(curves["step"]) == [1, 2, 3, 1]
    assert list(curves["tokens"]) == [1024, 2048, 3072, 512]


def test_the_tree_has_every_group_but_the_row_tables(planted):
    groups = {group.path for group in planted.tree.subtree}
    assert {"/", "/runs", "/curves", "/statistics/slots", "/fits/chinchilla_float32/posterior"} <= groups
    assert not any(group.startswith("/tables") for group in groups)
    assert planted.tree["runs"]["loss"].values[2] == 2.125


def test_fits_are_fits(planted):
    fit = planted.fits["chinchilla_float32"]
    assert fit.estimates == {"E": 1.5, "A": 400.0}
    assert fit.draws["E"].values.tolist() == [[1.25, 1.5, 1.75]]
    assert fit.parameters.loc["A", "high"] == np.inf


def test_an_experiment_is_trained_once_and_then_only_loaded(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    options = {"out": tmp_path / "out", "workers": 1, "quiet": True, "set": {"training.seed": 3}}
    sweep = bitlaw.run(tmp_path / "tiny.yaml", **options)
    assert sorted(sweep.runs["tokens"]) == [512, 1024] and set(sweep.runs["seed"]) == {3}
    written = (tmp_path / "out" / "sweep.h5").stat().st_mtime_ns
    again = bitlaw.run(tmp_path / "tiny.yaml", **options)
    assert (tmp_path / "out" / "sweep.h5").stat().st_mtime_ns == written
    assert list(again.runs["loss"]) == list(sweep.runs["loss"])


def test_mistakes_are_value_errors_that_name_the_place(tmp_path, capsys):
    (tmp_path / "bad.yaml").write_text(TINY.replace("width: 16", "widht: 16"))
    with pytest.raises(ValueError, match=r"bad.yaml:3:\d+: .*widht"):
        bitlaw.run(tmp_path / "bad.yaml", out=tmp_path / "out")
    assert "widht" in capsys.readouterr().err
    with pytest.raises(ValueError, match="none.h5: does not exist"):
        bitlaw.load(tmp_path / "none.h5")
    (tmp_path / "x.h5").write_text("no HDF5")
    with pytest.raises(ValueError, match="x.h5"):
        bitlaw.load(tmp_path / "x.h5").fits
