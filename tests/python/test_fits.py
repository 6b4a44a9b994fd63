"""bitlaw.fit on planted and printed coefficients, and the answers of closed forms."""

import json

import bitlaw
import numpy as np
import pandas as pd
import pytest

TRUTH = {"E": 1.69, "A": 406.4, "alpha": 0.34, "B": 410.7, "beta": 0.28}  # Hoffmann et al. 2022, arXiv:2203.15556


def loss(n, d):
    return TRUTH["E"] + TRUTH["A"] / n ** TRUTH["alpha"] + TRUTH["B"] / d ** TRUTH["beta"]


@pytest.fixture(scope="module")
def table():
    n, d = (a.ravel() for a in np.meshgrid(10.0 ** np.arange(6, 10), 10.0 ** np.arange(8, 12)))
    noise = np.random.default_rng(1).standard_normal(n.size)
    return pd.DataFrame({"params": n, "tokens": d, "val loss": loss(n, d) * np.exp(1e-4 * noise),
                         "exact": loss(n, d), "kind": np.where(n < 3e7, "a", "b")})


@pytest.fixture(scope="module")
def fitted(table):
    return bitlaw.fit("chinchilla", table, N="params", D="tokens", loss="val loss", bootstrap=50)


def test_planted_coefficients_are_found(table):
    fit = bitlaw.fit("chinchilla", table, N="params", D="tokens", loss="exact", bootstrap=2)
    for name, value in TRUTH.items():
        assert fit.estimates[name] == pytest.approx(value, rel=1e-5)


def test_parameters_have_intervals_around_the_truth(fitted):
    table = fitted.parameters
    assert set(table.index) == set(TRUTH) and table.loc["E", "units"] == "nat"
    for name, value in TRUTH.items():
        row = table.loc[name]
        assert row.low < row.estimate < row.high and row.boot_low < row.boot_high
        assert abs(row.estimate - value) < 6 * row.se
    assert not table["fixed"].any() and np.isnan(table["profile_low"]).all()


def test_draws_are_a_dataset_in_arvizs_layout(fitted):
    draws = fitted.draws
    assert draws.sizes == {"chain": 1, "draw": 50} and set(draws.data_vars) == set(TRUTH)
    low, high = np.percentile(draws["alpha"], [2.5, 97.5])
    assert (low, high) == pytest.approx((fitted.parameters.loc["alpha"].boot_low, fitted.parameters.loc["alpha"].boot_high),
                                        abs=2e-4)


def test_predictions_take_arrays_and_have_bands(fitted):
    table = fitted.predict(N=[1e9, 1e10], D=1e11)
    assert list(table["N"]) == [1e9, 1e10]
    np.testing.assert_allclose(table["value"], loss(table["N"], table["D"]), rtol=1e-3)
    assert (table["low"] < table["value"]).all() and (table["run_low"] < table["low"]).all()


def test_the_optimum_of_a_budget_is_the_closed_form():
    """N = G (C/6)^a, a = beta/(alpha+beta), G = (alpha A / (beta B))^(1/(alpha+beta)) (arXiv:2203.15556 Eq. 4)."""
    fit = bitlaw.law("chinchilla", **TRUTH)
    best = fit.optimum(compute=[1e21, 1e23])
    a = TRUTH["beta"] / (TRUTH["alpha"] + TRUTH["beta"])
    g = (TRUTH["alpha"] * TRUTH["A"] / (TRUTH["beta"] * TRUTH["B"])) ** (1 / (TRUTH["alpha"] + TRUTH["beta"]))
    sizes = best[best["best"] == "parameters"]["value"].to_numpy()
    np.testing.assert_allclose(sizes, g * (np.array([1e21, 1e23]) / 6) ** a, rtol=1e-5)
    assert np.isnan(best["low"]).all()


def test_one_fit_for_each_value_of_a_column(table):
    fits = bitlaw.fit("chinchilla", table, N="params", D="tokens", loss="exact", per="kind", bootstrap=2,
                      fix={"E": 1.69, "A": 406.4, "alpha": 0.34})
    assert len(fits) == 2
    for fit in fits.values():
        assert fit.estimates["beta"] == pytest.approx(0.28, rel=1e-5)
        assert fit.parameters["fixed"].to_dict() == {name: name in ("E", "A", "alpha") for name in TRUTH}


def test_rows_are_chosen_and_a_formula_is_a_law(table):
    few = table[table["tokens"] == 1e11].assign(exact=lambda t: 2 + 300 / t["params"] ** 0.3)
    fit = bitlaw.fit("E + A/N^a", pd.concat([few, table[table["tokens"] < 1e11]]), N="params", loss="exact",
                     where="tokens > 5e10", bootstrap=2, parameters={"A": {"transform": "log", "starts": [10, 1000]}})
    assert fit.estimates == pytest.approx({"E": 2, "A": 300, "a": 0.3}, rel=1e-4)
    again = bitlaw.fit("E + A/N^a", few, N="params", loss="exact", where={"kind": ["a", "b"]}, bootstrap=2)
    assert again.residuals.shape == (4, 4)


def test_a_dict_a_file_and_a_table_in_memory_are_the_same_data(table, tmp_path):
    table.to_csv(tmp_path / "runs.csv", index=False)
    options = {"N": "params", "D": "tokens", "loss": "val loss", "bootstrap": 5, "seed": 3}
    fits = [bitlaw.fit("chinchilla", data, **options)
            for data in (table, {name: table[name] for name in table}, tmp_path / "runs.csv", [tmp_path / "runs.csv"])]
    assert all(fit.estimates == fits[0].estimates for fit in fits)
    np.testing.assert_array_equal(fits[0].draws["A"], fits[2].draws["A"])


def test_a_fit_is_saved_and_loaded_with_its_draws(fitted, tmp_path):
    fitted.save(tmp_path / "fit.h5")
    fitted.save(tmp_path / "fit.json")
    loaded = bitlaw.load(tmp_path / "fit.h5")
    (again,) = loaded.fits.values()
    assert again.estimates == fitted.estimates
    np.testing.assert_array_equal(again.draws["beta"], fitted.draws["beta"])
    posterior = loaded.groups[f"/fits/{fitted.name}/posterior"]
    np.testing.assert_array_equal(posterior["beta"].values, fitted.draws["beta"].values)
    assert json.loads((tmp_path / "fit.json").read_text())["law"] == "chinchilla"
    for table in ("runs", "curves"):
        with pytest.raises(ValueError, match=f"fit.h5: has no group /{table}, as the file of a fit has none"):
            getattr(loaded, table)
    with pytest.raises(ValueError, match="written to .h5 or .json"):
        fitted.save(tmp_path / "fit.txt")


@pytest.mark.parametrize("call, message", [
    (lambda t: bitlaw.fit("chinchila", t), "chinchilla"),
    (lambda t: bitlaw.fit("chinchilla", t, N="parms", D="tokens"), "params"),
    (lambda t: bitlaw.fit("chinchilla", t, N="params", D="tokens", loss="kind"), "data.csv:2"),
    (lambda t: bitlaw.fit("chinchilla", t, N="params", D="tokens", loss="exact", level=2), "--level 2"),
    (lambda t: bitlaw.fit("chinchilla", "runs.csv"), "runs.csv"),
    (lambda t: bitlaw.law("chinchilla", published="hofman"), "hoffmann"),
    (lambda t: bitlaw.law("chinchilla", E=1), "lacks"),
    (lambda t: bitlaw.law("chinchilla", **TRUTH).predict(N=1e9), "takes N, D, but N was given"),
    (lambda t: bitlaw.law("chinchilla", **TRUTH).predict(N=[1, 0.5], D=1), "row 1: N is 0.5"),
    (lambda t: bitlaw.law("chinchilla", **TRUTH).optimum(), "compute"),
])
def test_mistakes_are_value_errors_that_say_what_helps(table, call, message):
    with pytest.raises(ValueError) as error:
        call(table)
    assert message in str(error.value)
