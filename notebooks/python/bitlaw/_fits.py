"""Scaling laws fitted to losses, and what they say."""

from __future__ import annotations

import json
import os
import pathlib
import sys
import tempfile
from collections.abc import Iterable, Mapping
from typing import Any, Optional, Union

import numpy as np

from bitlaw import _core

Number = Union[int, float]
_PARAMETER_COLUMNS = ("estimate", "se", "low", "high", "boot_low", "boot_high", "profile_low", "profile_high",
                      "jackknife_se")
_BANDS = ("value", "se", "low", "high", "run_low", "run_high", "boot_low", "boot_high", "run_boot_low", "run_boot_high")


def laws() -> dict[str, str]:
    """The laws by name, with their equations.

    >>> bitlaw.laws()["chinchilla"]
    'L = E + A/N^alpha + B/D^beta'
    """
    return dict(_core.laws())


class Fit:
    """A fitted law: what bitlaw.fit, bitlaw.law and bitlaw.load give.

    name, law, equation, source: what it is. record: everything that `bitlaw fit --json` says of it, a dict: objective,
    status, metrics, condition_number, starts_agreeing and more. warnings: what the data cannot decide, and why.
    """

    def __init__(self, record: _core.FitRecord):
        self._fit = record
        self.name: str = record.name
        self.law: str = record.law
        self.equation: str = record.equation
        self.source: str = record.source
        self.warnings: list[str] = list(record.warnings)
        self.record: dict[str, Any] = json.loads(record.json())

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value:.6g}" for name, value in self.estimates.items())
        return f"Fit({self.law}: {self.equation}; {values})"

    @property
    def estimates(self) -> dict[str, float]:
        """The parameters' values, in the units of the equation."""
        return {name: self.record["parameters"][name]["estimate"] for name in self._fit.parameter_names()}

    @property
    def inputs(self) -> list[str]:
        """The names of the law's inputs."""
        return list(self._fit.input_names())

    @property
    def parameters(self) -> Any:
        """pandas.DataFrame, a row for each parameter: estimate, se, the intervals by covariance (low, high), bootstrap
        (boot_low, boot_high) and, where asked for, profile, all of `record["level"]`; units, at_bound, fixed.
        """
        import pandas

        names = self._fit.parameter_names()
        table = pandas.DataFrame(self._fit.parameters(), index=names, columns=list(_PARAMETER_COLUMNS))
        for key in ("units", "at_bound", "fixed"):
            table[key] = [self.record["parameters"][name][key] for name in names]
        return table

    @property
    def draws(self) -> Any:
        """xarray.Dataset of the bootstrap: a variable for each parameter, dimensions chain (1) and draw, as ArviZ has it.
        """
        import xarray

        draws = self._fit.draws()
        return xarray.Dataset({name: (("chain", "draw"), draws[None, :, j])
                               for j, name in enumerate(self._fit.parameter_names())},
                              coords={"chain": [0], "draw": np.arange(len(draws))})

    @property
    def residuals(self) -> Any:
        """pandas.DataFrame, a row for each observation: run, observed, predicted [nat/token], residual = log of their
        ratio."""
        import pandas

        observed, predicted = self._fit.observed(), self._fit.predicted()
        return pandas.DataFrame({"run": list(self._fit.run_ids), "observed": observed, "predicted": predicted,
                                 "residual": np.log(observed / predicted)})

    def predict(self, *, schedule: Any = None, every: Optional[int] = None, **inputs: Any) -> Any:
        """What the law says of other inputs, numbers or arrays that broadcast: pandas.DataFrame, a row for each.

        A law of the learning rate takes a schedule in place of S1 and S2: the rate of every step, an array, or a text as
        of `bitlaw predict --schedule`. The columns step and lr are then in the inputs' place, a row after each `every`
        steps (1) and after the last; the other inputs are numbers.

        Columns: the inputs; value [nat/token] and its se; 95 % intervals low, high of the law's value and run_low,
        run_high of one more run's loss, and the same by the bootstrap, boot_*, run_boot_*. The law's form is taken as
        true, so far from the runs the intervals are too narrow.

        >>> bitlaw.law("chinchilla", published="hoffmann").predict(N=7e10, D=1.4e12)["value"].round(4).tolist()
        [1.9366]
        >>> law = bitlaw.law("annealing", L_0=2.6, A=0.5, alpha=0.5, C=0.4)
        >>> curve = law.predict(schedule="linear:peak=1e-3,decay_from=500,steps=999", every=400)
        >>> curve[["step", "value"]].round(3).values.tolist()
        [[400.0, 3.39], [800.0, 3.16], [999.0, 3.092]]
        """
        import pandas

        if schedule is not None:
            return self._predict_along(schedule, every or 1, inputs)
        names = self.inputs
        if sorted(inputs) != sorted(names):
            raise ValueError(f"predict: law '{self.law}' takes {', '.join(names)}, but {', '.join(inputs) or 'nothing'} "
                             "was given; give each once")
        columns = np.broadcast_arrays(*(np.asarray(inputs[name], np.float64) for name in names))
        points = np.ascontiguousarray(np.stack([column.ravel() for column in columns], axis=1))
        table = pandas.DataFrame(points, columns=names)
        return table.join(pandas.DataFrame(self._fit.predict(points), columns=list(_BANDS)))

    def _predict_along(self, schedule: Any, every: int, inputs: Mapping[str, Number]) -> Any:
        import pandas

        rates = np.asarray(_core.schedule(schedule) if isinstance(schedule, str) else schedule, np.float64)
        if rates.ndim != 1 or len(rates) < 2 or every < 1 or not (np.isfinite(rates) & (rates >= 0)).all():
            raise ValueError(f"predict: a schedule is a list of two or more learning rates from 0 on, and every at least 1; "
                             f"shape {rates.shape} and every {every} were given")
        last = len(rates) - 1
        steps = [*range(every, last, every), last]
        values = self._fit.predict_along(rates.tolist(), steps, {name: float(v) for name, v in inputs.items()})
        return pandas.DataFrame({"step": steps, "lr": rates[steps]}).join(pandas.DataFrame(values, columns=list(_BANDS)))

    def optimum(self, *, compute: Union[Number, Iterable[Number]] = (), size: Union[Number, Iterable[Number]] = (),
                N: Optional[Number] = None, D: Optional[Number] = None, bits: Optional[Number] = None,
                formats: Iterable[str] = (), loss: Optional[Number] = None, scale_bits: Optional[Number] = None,
                cost_factor: Optional[Number] = None, cost_offset: Optional[Number] = None, layouts: bool = False,
                **given: Number) -> Any:
        """What is best: pandas.DataFrame with the columns for, best, value, low, high (interval of the fit's level).

        compute: budgets [FLOP], for each the best N and D, and bits where the law has them; N, D, bits hold one. size: N
        for each of which the tokens are wanted beyond which more raise the loss, in the given formats; loss: those that
        reach it. scale_bits: the best elements per scale of so many bits. layouts: the best exponent and mantissa bits of
        1 to 16. C = cost_factor (bits + cost_offset) N D, by default 6 N D at 16 bits. Others: the law's other inputs.

        >>> best = bitlaw.law("chinchilla", published="hoffmann").optimum(compute=5.76e23)
        >>> best.set_index("best")["value"].map("{:.3g}".format).to_dict()
        {'parameters': '3.22e+10', 'tokens': '2.98e+12', 'loss': '1.93'}
        """
        import pandas

        numbers = {"compute": compute, "size": size, "N": N, "D": D, "bits": bits, "loss": loss,
                   "scale_bits": scale_bits, "cost_factor": cost_factor, "cost_offset": cost_offset}
        lists = {name: _floats(value) for name, value in numbers.items() if value is not None}
        answers = self._fit.optimum(lists, {name: float(v) for name, v in given.items()}, list(formats), layouts)
        return pandas.DataFrame(answers, columns=["for", "best", "value", "low", "high"])

    def save(self, file: Union[str, os.PathLike[str]]) -> None:
        """Writes .h5, with all draws, for bitlaw.load and ArviZ; or .json. `bitlaw predict` takes both."""
        path = pathlib.Path(file)
        if path.suffix == ".json":
            path.write_text(self._fit.json() + "\n", encoding="utf-8")
        elif path.suffix in (".h5", ".hdf5"):
            _core.write_fits(str(path), [self._fit], " ".join(sys.argv))
        else:
            raise ValueError(f"{path}: a fit is written to .h5 or .json; choose such a name")


def _floats(value: Any) -> list[float]:
    return [float(v) for v in np.atleast_1d(np.asarray(value, np.float64))]


def law(name: str, *, published: str = "", **parameters: Number) -> Fit:
    """A law with given coefficients, or with those that a paper printed: a Fit without intervals.

    >>> bitlaw.law("chinchilla", E=1.69, A=406.4, alpha=0.34, B=410.7, beta=0.28).estimates["alpha"]
    0.34
    """
    return Fit(_core.given_law(name, published, ",".join(f"{key}={value!r}" for key, value in parameters.items())))


def fit(law: str, data: Any, *, where: Union[str, Iterable[str], Mapping[str, Any]] = (), per: Optional[str] = None,
        fix: Optional[Mapping[str, Number]] = None, test: Any = (), tail: Union[None, int, str] = None,
        seeds: Optional[str] = None, outliers: Optional[str] = None,
        parameters: Optional[Mapping[str, Mapping[str, Any]]] = None, schedule: Union[str, Iterable[str]] = (),
        set: Optional[Mapping[str, Any]] = None, objective: Optional[str] = None, huber_delta: Optional[Number] = None,
        residual: Optional[str] = None, freedom: Optional[Number] = None, over_factor: Optional[Number] = None,
        bootstrap: Optional[int] = None, resample: Optional[str] = None, level: Optional[Number] = None,
        seed_noise: Optional[Number] = None, seed: Optional[int] = None, compute: Optional[Number] = None,
        search: Optional[str] = None, starts: Optional[int] = None, profile: bool = False, jackknife: bool = False,
        halving: bool = False, **columns: Union[str, Number]) -> Any:
    """Fits a law to losses: `bitlaw fit` with the same names, defaults and messages (bitlaw fit --help).

    law: one of bitlaw.laws(), "multi_power", or a formula such as "E + A/N^a".
    data: a pandas.DataFrame, a dict of columns, or files, one or a list: .csv, .tsv, .jsonl, each also .gz,
    "FILE.h5:/GROUP", or a sweep.h5, whose runs need no columns named.
    columns: N="params", D="tokens", loss="val_loss", run="id", weight="w": which column is what, where it is not called
    so; a number, G=128, is the same for every row. loss [nat/token], N [parameters], D [tokens].
    where: conditions, "step < 24000", or {column: value}. per: a fit for each value of a column.
    fix: {"E": 1.5}. test: data that are predicted and scored, not fitted. bootstrap: refits (400). Everything else as
    on the command line; set: what is no column, {"lambda": 0.999}.

    Gives a Fit; with `per` a dict of them by name. ValueError names the row, the column or the option.

    >>> n, d = (a.ravel() for a in np.meshgrid(10.0 ** np.arange(6, 10), 10.0 ** np.arange(8, 12)))
    >>> table = {"params": n, "tokens": d, "loss": 1.69 + 406.4 / n**0.34 + 410.7 / d**0.28}
    >>> fit = bitlaw.fit("chinchilla", table, N="params", D="tokens", bootstrap=20)
    >>> {name: round(value, 4) for name, value in fit.estimates.items()}
    {'A': 406.4, 'alpha': 0.34, 'B': 410.7, 'beta': 0.28, 'E': 1.69}
    """
    options = {"objective": objective, "huber_delta": huber_delta, "residual": residual, "freedom": freedom,
               "over_factor": over_factor, "bootstrap": bootstrap, "resample": resample, "level": level,
               "seed_noise": seed_noise, "seed": seed, "compute": compute, "search": search, "starts": starts,
               "profile": profile or None, "jackknife": jackknife or None, "halving": halving or None}
    formula = not law.isidentifier()
    with tempfile.TemporaryDirectory() as folder:
        lists = {
            "words": [*([] if formula else [law]), *_files(data, folder, "data")],
            "formula": [law] if formula else [],
            "columns": [f"{name}={column}" for name, column in columns.items() if isinstance(column, str)],
            "set": [f"{name}={_text(value)}" for name, value in
                    [*(set or {}).items(), *((n, c) for n, c in columns.items() if not isinstance(c, str))]],
            "where": _conditions(where),
            "fix": [f"{name}={_text(value)}" for name, value in (fix or {}).items()],
            "test": _files(test, folder, "test"),
            "parameters": [f"{name}={_text(value)}" for name, value in (parameters or {}).items()],
            "schedule": [schedule] if isinstance(schedule, str) else list(schedule),
        }
        for name, value in (("per", per), ("tail", tail), ("seeds", seeds), ("outliers", outliers)):
            lists[name] = [] if value is None else [str(value)]
        fits = _core.fit(lists, {name: _text(value) for name, value in options.items() if value is not None})
    return Fit(fits[0]) if per is None else {fit.name: Fit(fit) for fit in fits}


def _text(value: Any) -> str:
    """A value as YAML and the command line write it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_text(v)}" for key, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_text, value)) + "]"
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    return str(value)


def _conditions(where: Union[str, Iterable[str], Mapping[str, Any]]) -> list[str]:
    if isinstance(where, str):
        return [where]
    if isinstance(where, Mapping):
        return [f"{column}={_text(value)}" for column, value in where.items()]
    return list(where)


def _files(data: Any, folder: str, name: str) -> list[str]:
    """The names of files with the data; tables in memory are written to one, digit for digit."""
    if isinstance(data, (str, os.PathLike)):
        return [os.fspath(data)]
    if isinstance(data, (list, tuple)):
        return [file for i, item in enumerate(data) for file in _files(item, folder, f"{name}{i}")]
    import pandas

    path = pathlib.Path(folder, f"{name}.csv")
    pandas.DataFrame(data).to_csv(path, index=False)
    return [str(path)]
