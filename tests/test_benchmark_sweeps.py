"""Parts of shipped sweeps: the same cells as in the whole, and no case that is not there."""

from __future__ import annotations

import importlib.util
import pathlib
import sys

import pytest

from gandyn.gans.training.sweep import Sweep

BENCHMARKS = pathlib.Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("benchmark_sweeps", BENCHMARKS / "sweeps.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("ring", None)


def test_a_part_of_a_sweep_has_cells_of_the_whole(script):
    whole = Sweep.find("gradient-centralization")
    part = list(script.narrowed(whole, ["loss=WGAN", "rule=Adam,Adam-GC"]).cells())
    assert [(where["rule"], where["loss"], seed) for where, seed, _ in part] == [
        (rule, "WGAN", seed) for rule in ("Adam", "Adam-GC") for seed in range(5)
    ]
    assert {config.sha256 for _, _, config in part} < {config.sha256 for _, _, config in whole.cells()}


@pytest.mark.parametrize("only", ["loss=wgan", "los=WGAN", "loss"])
def test_a_case_that_is_not_there_is_refused(script, only):
    with pytest.raises(ValueError, match="Needed: cases of"):
        script.narrowed(Sweep.find("gradient-centralization"), [only])
