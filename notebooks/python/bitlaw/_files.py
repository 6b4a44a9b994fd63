"""Result files as tables, and experiments that make them."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Optional, Union

import numpy as np

from bitlaw import _core
from bitlaw._fits import Fit, _text

Path = Union[str, "os.PathLike[str]"]
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


class Sweep:
    """A sweep.h5, or the file of a fit: what bitlaw.load and bitlaw.run give. Nothing but its first bytes is read before it is asked for."""

    def __init__(self, file: Path):
        self.file = pathlib.Path(file)
        if not self.file.exists():
            raise ValueError(f"{self.file}: does not exist; bitlaw run writes sweep.h5 into results/<experiment>")
        if self.file.is_dir():
            raise ValueError(f"{self.file}: is a folder; give the sweep.h5 in it")
        with self.file.open("rb") as opened:
            if opened.read(len(_HDF5_SIGNATURE)) != _HDF5_SIGNATURE:
                raise ValueError(f"{self.file}: is no HDF5 file, so it holds no sweep and no fit; give sweep.h5. A table "
                                 "is read by pandas, and bitlaw.fit takes it")

    def __repr__(self) -> str:
        return f"Sweep('{self.file}')"

    @cached_property
    def groups(self) -> dict[str, Any]:
        """xarray.Dataset by path: "/", "/runs", "/curves", "/fits/<name>", "/fits/<name>/posterior", ... The row tables
        under /tables, which are for pandas and PyTables, are left out: /runs holds the same.
        """
        import h5netcdf
        import xarray

        paths = ["/"]
        with h5netcdf.File(self.file, "r") as opened:
            def visit(group: Any) -> None:
                for child in group.groups.values():
                    if child.name != "/tables":
                        paths.append(child.name)
                        visit(child)

            visit(opened)
        return {path: xarray.open_dataset(self.file, group=path, engine="h5netcdf") for path in paths}

    def _group(self, path: str) -> Any:
        if path not in self.groups:
            raise ValueError(f"{self.file}: has no group {path}, as the file of a fit has none; give the sweep.h5 of its "
                             "runs")
        return self.groups[path]

    @cached_property
    def tree(self) -> Any:
        """The same as xarray.DataTree (xarray from 2024.10 on)."""
        import xarray

        return xarray.DataTree.from_dict(self.groups)

    @cached_property
    def runs(self) -> Any:
        """pandas.DataFrame, a row for each run: its scalars, and config.<key> for what differs between runs. Units are
        in groups["/runs"][name].attrs."""
        return _frame(self._group("/runs"), "run")

    @cached_property
    def curves(self) -> Any:
        """pandas.DataFrame, a row for each logged step of each run; `run` is the run's place in `runs`."""
        ragged = self._group("/curves")
        table = _frame(ragged.drop_vars("row_size"), "point")
        table.insert(0, "run", np.repeat(np.arange(ragged.sizes["run"]), ragged["row_size"].values))
        return table

    @cached_property
    def schedules(self) -> list[np.ndarray]:
        """The learning rate of every step, an array for each run, of the schedule that it was asked for: what laws of
        the learning rate sum up, where `curves` has the steps that were logged. ValueError where a schedule's file has
        changed since.
        """
        return _core.learning_rates(str(self.file))

    def curve(self, run: int) -> Any:
        """Run `run` as laws of the learning rate take it: pandas.DataFrame with step, lr, train_loss, validation_loss, a
        row for each step of its schedule, the losses NaN where they were not taken. What `bitlaw sweep curves` writes.

            curves = [sweep.curve(i) for i in range(len(sweep.runs))]
            fit = bitlaw.fit("annealing", curves[:2], loss="validation_loss", set={"lambda": 0.99}, test=curves[2:])
            fit.predict(schedule=sweep.schedules[2])
        """
        import pandas

        rates = self.schedules[run]
        table = pandas.DataFrame({"step": np.arange(len(rates)), "lr": rates})
        points = self.curves[self.curves["run"] == run].set_index("step")[["train_loss", "validation_loss"]]
        return table.join(points.replace([np.inf, -np.inf], np.nan), on="step")

    @cached_property
    def fits(self) -> dict[str, Fit]:
        """The fitted laws by name."""
        return {fit.name: Fit(fit) for fit in _core.read_fits(str(self.file))}


def _frame(dataset: Any, dimension: str) -> Any:
    import pandas

    return pandas.DataFrame({name: variable.values for name, variable in dataset.variables.items()
                             if variable.dims == (dimension,)})


def load(file: Path) -> Sweep:
    """A sweep.h5 that bitlaw run wrote, or a fit's .h5: .runs and .curves (pandas), .tree (xarray), .fits.

    ValueError where there is no such file, it is another kind of file, or it is damaged.
    """
    return Sweep(file)


def _program() -> str:
    """The program `bitlaw`: of BITLAW_PROGRAM, beside this Python, or on the PATH."""
    beside = pathlib.Path(sysconfig.get_path("scripts"), "bitlaw")
    for candidate in (os.environ.get("BITLAW_PROGRAM"), str(beside), shutil.which("bitlaw")):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    raise ValueError("the program bitlaw is neither beside this Python nor on the PATH; install the package with pip, or "
                     "name it in the environment variable BITLAW_PROGRAM")


def run(file: Path, *, out: Optional[Path] = None, set: Optional[Mapping[str, Any]] = None,
        workers: Optional[int] = None, threads: Optional[int] = None, quiet: bool = False) -> Sweep:
    """Trains what an experiment still lacks, fits its laws, writes its report: `bitlaw run`, in processes of its own.

    file: the YAML. out: the folder of results (results/<experiment>). set: {"training.seed": 1} over what it says.
    Progress goes to sys.stderr unless quiet. Stopped by Ctrl-C or killed, the same call continues; with everything done
    it only loads. Results depend on neither workers nor threads.

    ValueError: a mistake in the YAML, `file:line:column`. RuntimeError: some runs failed; the same call tries them again.
    """
    command = [_program(), "run", os.fspath(file), "--json"]
    for key, value in (set or {}).items():
        command += ["--set", f"{key}={_text(value)}"]
    for name, value in (("--out", out), ("--workers", workers), ("--threads", threads)):
        if value is not None:
            command += [name, os.fspath(value) if isinstance(value, os.PathLike) else str(value)]
    code, output, errors = _execute(command, quiet)
    if code == 2:
        raise ValueError(errors.strip())
    if code != 0:
        raise RuntimeError(errors.strip() or f"bitlaw run ended with {code}")
    return Sweep(json.loads(output)["files"]["data"])


def command(*words: Any) -> Any:
    """What `bitlaw WORDS --json` prints, as Python has it: every verb of the program, for example kinetics or next.

    ValueError: wrong input, in the program's words. RuntimeError: what was asked was tried and failed.

    >>> bitlaw.command("kinetics", "cost", "qwen3-8b", "--kv", "mxfp8")["costs"][0]["kv_bits"]
    8.25
    """
    code, output, errors = _execute([_program(), *map(str, words), "--json"], quiet=True)
    if code == 2:
        raise ValueError(errors.strip())
    if code != 0:
        raise RuntimeError(errors.strip() or f"bitlaw {words[0] if words else ''} ended with {code}")
    return json.loads(output)


def report(file: Path, to: Path) -> pathlib.Path:
    """The report of a sweep.h5, tables, figures, verdicts, warnings and where everything came from, in one file.

    to: FILE.html, or FILE.pdf, the same page on A4, which needs WeasyPrint: pip install bitlaw[report]. Gives `to` back.

    ValueError: what is wrong with the file, another ending, or no WeasyPrint; then nothing is written.

        bitlaw.report("results/quickstart/sweep.h5", "report.pdf")
    """
    target = pathlib.Path(to)
    if target.suffix not in (".html", ".pdf"):
        raise ValueError(f"{target}: reports are .html or .pdf, so nothing was written; choose one of these endings")
    if target.suffix == ".html":
        command("report", os.fspath(file), "--to", target)
        return target
    try:
        import weasyprint
    except (ImportError, OSError) as error:  # OSError: the package without the system's Pango
        raise ValueError(f"{target}: a PDF needs WeasyPrint and Pango ({error}), so nothing was written; pip install "
                         "weasyprint, and libpangoft2-1.0-0 of Debian, or write .html") from error
    with tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=".bitlaw-report-") as folder:
        page, pdf = pathlib.Path(folder, "report.html"), pathlib.Path(folder, "report.pdf")
        command("report", os.fspath(file), "--to", page)
        weasyprint.HTML(page).write_pdf(pdf)
        pdf.replace(target)
    return target


def _execute(command: list[str], quiet: bool) -> tuple[int, str, str]:
    """Exit code, standard output and the end of standard error, which is passed on while it comes."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None and process.stdout is not None
    lines: list[str] = []

    def pass_on(stream: Iterable[str]) -> None:
        for line in stream:
            lines.append(line)
            del lines[:-50]
            if not quiet:
                sys.stderr.write(line)

    reader = threading.Thread(target=pass_on, args=(process.stderr,))
    reader.start()
    try:
        output = process.stdout.read()
        process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)  # in a notebook it has not heard of it
        process.wait()
        raise
    finally:
        reader.join()
    return process.returncode, output, "".join(lines)
