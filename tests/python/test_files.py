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
    (tmp_path / "t.csv").write_text("N,loss\n1,2\n")
    with pytest.raises(ValueError, match="t.csv: is no HDF5 file, so it holds no sweep and no fit; give sweep.h5"):
        bitlaw.load(tmp_path / "t.csv")
    with pytest.raises(ValueError, match=": is a folder; give the sweep.h5 in it"):
        bitlaw.load(tmp_path)


SCHEDULES = """experiment: schedules
corpus: {kind: synthetic, vocabulary: 16, length: 4096}
model: {layers: 1, width: 16, heads: 2, context: 16}
training: {tokens: 12800, batch: 4, eval_tokens: 64, curve_every: 20, optimizer: {learning_rate: 0.5}}  # 200 steps
sweep: {list: [{training.schedule.kind: cosine}, {training.schedule.kind: linear}]}
"""
PEAK, STEPS, WARMUP, LAST, LAMBDA = 0.5, 200, 10, 0.1, 0.9  # of the YAML; 5 % of warm-up and 0.1 are the defaults


@pytest.fixture(scope="module")
def schedules(tmp_path_factory):
    folder = tmp_path_factory.mktemp("schedules")
    (folder / "x.yaml").write_text(SCHEDULES)
    file = bitlaw.run(folder / "x.yaml", out=folder / "out", workers=1, quiet=True).file
    return bitlaw.load(file.rename(folder / "alone.h5"))


def areas_of_line(n):
    """S1 and S2 n steps behind the warm-up of a line from PEAK to LAST PEAK, in closed form, rises left out of S2."""
    drop = PEAK * (1 - LAST) / (STEPS - 1 - WARMUP)  # at each of the n steps
    s1 = PEAK * ((WARMUP + 1) / 2 + n + 1) - drop * n * (n + 1) / 2
    s2 = drop / (1 - LAMBDA) * (n - LAMBDA * (1 - LAMBDA**n) / (1 - LAMBDA))  # sum of (1 - lambda^i) / (1 - lambda)
    return s1, s2


def test_schedules_have_every_steps_rate_though_curves_have_a_few(schedules):
    assert [len(rates) for rates in schedules.schedules] == [STEPS, STEPS]
    assert len(schedules.curves) < STEPS
    area = PEAK * ((WARMUP + 1) / 2 + (STEPS - WARMUP) * (1 + LAST) / 2)  # of both, by symmetry
    assert [rates.sum() for rates in schedules.schedules] == pytest.approx([area, area], rel=1e-12)
    for run, rates in enumerate(schedules.schedules):
        logged = schedules.curves[schedules.curves["run"] == run]
        np.testing.assert_array_equal(rates[logged["step"]], logged["learning_rate"])


def test_a_curve_is_what_laws_of_the_learning_rate_take(schedules):
    curve = schedules.curve(1)
    assert list(curve.columns) == ["step", "lr", "train_loss", "validation_loss"] and len(curve) == STEPS
    assert curve["train_loss"].notna().sum() == len(schedules.curves) / 2
    planted = {"L_0": 1.5, "A": 2.0, "alpha": 0.5, "C": 0.01}
    steps = np.arange(WARMUP, STEPS)
    s1, s2 = areas_of_line(steps - WARMUP)
    line = curve.iloc[steps].assign(loss=planted["L_0"] + planted["A"] * s1 ** -planted["alpha"] - planted["C"] * s2)
    table = curve.assign(loss=line["loss"])
    fit = bitlaw.fit("annealing", [table], where="step >= 10", bootstrap=0, set={"lambda": LAMBDA, "warmup": "area_only"})
    assert fit.estimates == pytest.approx(planted, rel=1e-5)
    told = fit.predict(schedule=schedules.schedules[1], every=7)
    assert list(told["step"]) == [*range(7, STEPS - 1, 7), STEPS - 1]
    told = told[told["step"] >= WARMUP]
    np.testing.assert_allclose(told["value"], table["loss"][told["step"]], rtol=1e-9)
    np.testing.assert_array_equal(told["lr"], schedules.schedules[1][told["step"]])


def test_predictions_along_a_schedule_name_their_mistakes(schedules):
    law = bitlaw.law("annealing", L_0=2.6, A=0.5, alpha=0.5, C=0.4)
    with pytest.raises(ValueError, match="two or more learning rates"):
        law.predict(schedule=[0.1])
    with pytest.raises(ValueError, match="all its rates are 0"):
        law.predict(schedule=[0.0, 0.0])
    with pytest.raises(ValueError, match="N=1000000.*leave it out"):
        law.predict(schedule=[0.1, 0.2], N=1e6)
    with pytest.raises(ValueError, match="does not take a learning rate"):
        bitlaw.law("chinchilla", published="hoffmann").predict(schedule=[0.1, 0.2])
