"""The benchmark table: a row that grew slower than its last measurements fails the script."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def run(monkeypatch):
    """The script as a module, without its heavy contestants being run."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    spec = importlib.util.spec_from_file_location("benchmark_table", ROOT / "benchmarks" / "run.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "benchmark_table", module)
    spec.loader.exec_module(module)
    yield module
    for name in ("contestants", "ensembles", "rounds"):
        sys.modules.pop(name, None)


def record(**ratios):
    return {"rows": {name: {"ratio": ratio} for name, ratio in ratios.items()}}


def test_a_row_slower_than_its_last_three_by_1_3_is_named(run):
    before = [record(a=9.0), record(a=1.0, b=2.0), record(a=1.2), record(a=1.1)]
    assert run.regressions({"a": {"ratio": 1.42}, "b": {"ratio": 2.5}, "new": {"ratio": 99.0}}, before) == []
    (line,) = run.regressions({"a": {"ratio": 1.44}, "b": {"ratio": 2.5}}, before)
    assert line.startswith("a: 1.31 times slower")


def test_rows_have_names_of_their_own_and_a_target(run):
    names = [row.name for row in run.ROWS]
    assert len(set(names)) == len(names)
    assert all(row.target > 0 and row.measure in ("ratio", "seconds") for row in run.ROWS)


def test_a_measurement_is_added_to_those_before_and_a_regression_fails(run, tmp_path, monkeypatch):
    row = run.Row("sum", "half the sum", 4, "ratio", lambda: {"ours": lambda: None, "anchor": lambda: None}, 1)
    found = {"seconds": 1.0, "anchor_seconds": 0.5, "ratio": 2.0, "cores": 1.0}
    monkeypatch.setattr(run, "ROWS", (row,))
    monkeypatch.setattr(run, "foreign_load", lambda: 0.0)
    monkeypatch.setattr(run, "environment", lambda seed: {"commit": "0" * 40, "seed": seed})
    monkeypatch.setattr(run, "measured", lambda row, rounds: dict(found))
    out = tmp_path / "table.json"
    assert run.main(["--out", str(out)]) == 0
    found["ratio"] = 2.7
    assert run.main(["--out", str(out)]) == 1
    records = json.loads(out.read_text())["records"]
    assert [r["rows"]["sum"]["ratio"] for r in records] == [2.0, 2.7]
    assert records[0]["rows"]["sum"]["target"] == 4
