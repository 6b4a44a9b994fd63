"""Figures of formats, losses and laws, in colours that the colour-blind tell apart; needs matplotlib.

Every function draws on the axes given to it, or on new ones, and returns them. Axes carry units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Optional, Union

import numpy as np

from bitlaw._rounding import quantize

# Okabe and Ito's eight colours (https://jfly.uni-koeln.de/color/), without the yellow, which white paper swallows.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = "os^Dv<>P"
LABELS = {
    "loss": "held-out loss [nat/token]",
    "params": "parameters N",
    "tokens": "tokens D",
    "flops": "training compute [FLOP]",
    "block_size": "elements per scale",
}
STYLE = {
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25, "axes.axisbelow": True,
    "figure.figsize": (7.0, 3.6), "figure.dpi": 100, "figure.constrained_layout.use": True, "font.size": 10,
    "legend.frameon": False,
}


def axes(ax: Optional[Any] = None) -> Any:
    """`ax`, or new axes in the style of all figures here."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    with plt.rc_context(STYLE):
        return plt.subplots()[1]


def look(i: int) -> dict[str, str]:
    """Colour and marker of the i-th series."""
    return {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)]}


def values(formats: Iterable[Any], ax: Optional[Any] = None) -> Any:
    """Every finite value of each format (bitlaw.Format of at most 8 bits) as a stroke on its own line.

    The scale is linear below the least positive number of any of them and logarithmic above.
    """
    formats = list(formats)
    numbers = [fmt.values()[np.isfinite(fmt.values())] for fmt in formats]
    ax = axes(ax)
    for row, of_format in enumerate(numbers):
        ax.eventplot(of_format, lineoffsets=-row, linelengths=0.7, linewidths=0.8, colors=COLOURS[row % len(COLOURS)])
    least = min(of_format[of_format > 0].min() for of_format in numbers)
    ax.set_xscale("symlog", linthresh=least)
    ax.set_xticks([tick for tick in ax.get_xticks() if tick == 0 or abs(tick) >= least])  # the others lie on one another
    ax.set_yticks([-row for row in range(len(formats))], [fmt.name for fmt in formats])
    ax.set_xlabel("value")
    ax.grid(False)
    return ax


def rounding_error(formats: Iterable[Union[str, Any]], low: float, high: float, ax: Optional[Any] = None,
                   points: int = 4000) -> Any:
    """`|round(x) - x|` / x to nearest against x, from low to high, for number formats."""
    ax = axes(ax)
    x = np.geomspace(low, high, points)
    for i, fmt in enumerate(formats):
        error = np.abs(quantize(x, fmt) - x) / x
        ax.plot(x, error, color=COLOURS[i % len(COLOURS)], lw=0.9, label=str(getattr(fmt, "name", fmt)))
    ax.set(xscale="log", yscale="log", xlabel="magnitude x", ylabel="relative error", ylim=(1e-5, 2))
    ax.legend(ncols=3)
    return ax


def losses(runs: Any, x: str = "tokens", by: Sequence[str] = ("params", "precision"), y: str = "loss",
           ax: Optional[Any] = None) -> Any:
    """Losses of a table of runs (bitlaw.load(...).runs) against a column of it, a line for each value of `by`.

    One column of `by` is told by colour; where there are two, the first is told by colour, the second by the marker.
    """
    ax = axes(ax)
    keys = [runs[name].drop_duplicates().sort_values().tolist() for name in by]
    for group, rows in runs.groupby(list(by)):
        places = [keys[k].index(value) for k, value in enumerate(group)]
        rows = rows.sort_values(x)
        ax.plot(rows[x], rows[y], color=look(places[0])["color"], marker=look(places[-1])["marker"], ms=4, lw=1,
                label=", ".join(_words(name, value) for name, value in zip(by, group)))
    ax.set(xscale="log", xlabel=LABELS.get(x, x), ylabel=LABELS.get(y, y))
    ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def predicted(observed: Any, value: Any, low: Any, high: Any, groups: Optional[Any] = None,
              ax: Optional[Any] = None, quantity: str = LABELS["loss"]) -> Any:
    """What was measured against what a law says of it, with intervals; on the grey line they are equal.

    All arguments but the last two have an element for each run; `groups` names the series that it belongs to.
    """
    ax = axes(ax)
    observed, value, low, high = (np.asarray(a, float) for a in (observed, value, low, high))
    groups = np.asarray(groups if groups is not None else [""] * len(observed))
    for i, group in enumerate(dict.fromkeys(groups.tolist())):
        rows = groups == group
        ax.errorbar(value[rows], observed[rows], xerr=np.maximum(0, [(value - low)[rows], (high - value)[rows]]),
                    fmt=look(i)["marker"], color=look(i)["color"], ms=4, lw=0.8, label=str(group) or None)
    span = [min(observed.min(), value.min()), max(observed.max(), value.max())]
    ax.plot(span, span, color="0.6", lw=1, zorder=0)
    ax.set(xlabel=f"predicted {quantity}", ylabel=f"measured {quantity}")
    if (groups != "").any():
        ax.legend(fontsize=8)
    return ax


def band(x: Any, prediction: Any, label: str = "", i: int = 0, ax: Optional[Any] = None) -> Any:
    """A law's prediction (bitlaw.Fit.predict) along x with its 95 % interval."""
    ax = axes(ax)
    colour = COLOURS[i % len(COLOURS)]
    ax.plot(x, prediction["value"], color=colour, lw=1.2, label=label or None)
    ax.fill_between(x, prediction["low"], prediction["high"], color=colour, alpha=0.2, lw=0)
    return ax


def intervals(names: Sequence[str], value: Any, low: Any, high: Any, quantity: str = "", i: int = 0,
              ax: Optional[Any] = None) -> Any:
    """A value with its interval for each name, one below the other, and a grey line at 0; in the i-th colour."""
    ax = axes(ax)
    value, low, high = (np.asarray(a, float) for a in (value, low, high))
    rows = -np.arange(len(value))
    ax.axvline(0, color="0.6", lw=1, zorder=0)
    ax.errorbar(value, rows, xerr=[value - low, high - value], fmt=look(i)["marker"], color=look(i)["color"], ms=4, lw=1,
                capsize=2)
    ax.set_yticks(rows, list(names))
    ax.set_xlabel(quantity)
    return ax


def curves(table: Any, names: Any, y: str = "validation_loss", start: int = 0, ax: Optional[Any] = None) -> Any:
    """Curves of runs (bitlaw.load(...).curves) against the step, from step `start` on; names[i] is run i's."""
    ax = axes(ax)
    for i, (run, rows) in enumerate(table.groupby("run")):
        rows = rows[(rows["step"] >= start) & rows[y].notna()]
        ax.plot(rows["step"], rows[y], color=COLOURS[i % len(COLOURS)], lw=1, ls="-" if i < len(COLOURS) else "--",
                label=str(names[run]))
    ax.set(xlabel="step", ylabel=LABELS["loss"])
    ax.legend(fontsize=8)
    return ax


def _words(name: str, value: Any) -> str:
    if name == "params":
        return f"N = {value / 1e3:.0f} k" if value < 1e6 else f"N = {value / 1e6:.3g} M"
    return str(value)
