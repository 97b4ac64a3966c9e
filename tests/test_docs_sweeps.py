"""Tables of sweeps say what the result file says, along one axis as along two."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

EXTENSIONS = Path(__file__).parent.parent / "docs" / "_ext"


@pytest.fixture
def tables(tmp_path, monkeypatch):
    """The writer of tables, reading results from a folder; `tables.give` puts a sweep there."""
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    results, found = (importlib.import_module(name) for name in ("describe_results", "describe_sweeps"))
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    found.give = lambda cells: (tmp_path / "sweep_small.json").write_text(json.dumps({"cells": cells}))
    return found


def cell(seed, modes, cpu, **case):
    metrics = {"near_modes": modes, "near_quality": modes / 10}
    outcome = "covers" if modes == 8 else "partial"
    return {"case": case, "seed": seed, "steps": 5, "outcome": outcome, "metrics": metrics, "cpu_seconds": cpu}


def test_along_one_axis_metrics_and_cost_have_columns(tables):
    tables.give([cell(0, 4, 2.0, penalty="none"), cell(1, 5, None, penalty="none"),
                 cell(0, 8, 3.0, penalty="R1"), cell(1, 8, 5.0, penalty="R1")])  # fmt: skip
    assert tables.sweep("small", "near_modes", "near_quality")[:4] == [
        "| penalty | outcome | modes | near a mode | CPU s |",
        "|---|---|---|---|---|",
        "| none | 2 partial | 4.5 (4 to 5) | 45 % (40 to 50) | 2.0 |",
        "| R1 | 2 covers | 8 | 80 % | 4.0 (3.0 to 5.0) |",
    ]


def test_along_two_axes_a_cell_has_its_outcomes_and_metrics(tables):
    tables.give([cell(0, modes, None, tau=tau, lr=lr) for tau, lr, modes in (("1", "a", 4), ("1", "b", 8))])
    text = "\n".join(tables.sweep("small", "near_modes", "near_quality"))
    assert "partial: 4, 40 %" in text
    assert "covers: 8, 80 %" in text
