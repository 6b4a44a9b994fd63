"""Every example in the package's docstrings gives what it says."""

import doctest
import importlib
import inspect
import pathlib
import pkgutil
import re

import bitlaw
import numpy as np
import pytest

MODULES = ["bitlaw", *(f"bitlaw.{m.name}" for m in pkgutil.iter_modules(bitlaw.__path__))]
CLASSES = [item for _, item in inspect.getmembers(bitlaw._core, inspect.isclass)]
NAMES = {"bitlaw": bitlaw, "np": np}


def run(tests):
    runner = doctest.DocTestRunner()
    for test in tests:
        runner.run(test)
    assert runner.failures == 0


@pytest.mark.parametrize("name", MODULES)
def test_module(name):
    module = importlib.import_module(name)
    run(doctest.DocTestFinder(exclude_empty=True).find(module, globs=dict(NAMES)))


@pytest.mark.parametrize("item", CLASSES, ids=lambda item: item.__name__)
def test_class(item):
    run([doctest.DocTestParser().get_doctest(item.__doc__ or "", dict(NAMES), item.__name__, None, None)])


README = pathlib.Path(__file__).resolve().parents[2] / "notebooks" / "python" / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_the_readmes_ten_lines_run():
    names = {}
    exec(BLOCKS[0], names)
    assert 16 < names["snr"] < 19 and names["c"].shape == (64, 64)
    assert set(names["best"]["best"]) == {"parameters", "tokens", "loss"}


def test_the_readmes_schedules_are_predicted(monkeypatch):
    monkeypatch.chdir(README.parents[2])
    names = {"bitlaw": bitlaw}
    exec(next(block for block in BLOCKS if "schedule=" in block), names)
    told = names["fit"].predict(schedule=names["sweep"].schedules[3], every=40).iloc[-1]
    assert told["step"] == 3999 and told["value"] == pytest.approx(names["sweep"].runs["loss"][3], rel=0.02)


def test_the_readmes_gradient_passes_straight_through():
    torch = pytest.importorskip("torch")
    names = {"bitlaw": bitlaw}
    exec(next(block for block in BLOCKS if "import torch" in block), names)
    x, w, q = (names[name] for name in ("x", "w", "FakeQuantize"))
    qx, qw = (bitlaw.quantize(t.detach(), "nvfp4") for t in (x, w))
    torch.testing.assert_close(x.grad, 2 * (qx @ qw.T) @ qw)
    assert q.apply(x, "e4m3").dtype == torch.float32


def test_everything_public_has_a_docstring():
    assert [name for name in bitlaw.__all__ if not getattr(bitlaw, name).__doc__] == []


def test_the_site_shows_everything_public():
    page = (README.parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\.\. auto(?:function|class):: (\w+)$", page, re.MULTILINE)
    assert sorted(shown) == sorted(bitlaw.__all__)
