"""The comparison's tables say what its result file says: the nearest first, and only what is settled as settled."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

EXTENSIONS = Path(__file__).parent.parent / "docs" / "_ext"


def cell(method, stage, seed, w1, lr="0.01", own="0.5", **more):
    row = {"data": "ring", "stage": stage, "method": method, "lr": lr, "own": own, "own_name": "beta1", "seed": seed}
    return {**row, "w1": w1, "distance": w1, "w1_floor": 0.1, "near": 8, "strict": 7 + seed, "quality": 0.5,
            "cpu_seconds": 20.0, **more}  # fmt: skip


CELLS = [
    *(cell("far", "tune", 1000, 0.9, lr=lr) for lr in ("0.001", "0.003", "0.01")),
    *(cell("near", "tune", 1000, 0.9, lr="0.01", own=own) for own in ("0", "0.5", "0.9")),
    cell("near", "tune", 1000, 0.9, lr="0.001"),
    cell("near", "tune", 1000, 0.9, lr="0.1"),
    *(cell("far", "run", seed, 1.0 + seed) for seed in (0, 1, 2)),
    *(cell("near", "run", seed, 0.2 + 0.1 * seed, gap=0.5) for seed in (0, 1, 2)),
    *(cell("near", "half", seed, 0.6 + 0.1 * seed) for seed in (0, 1)),
]
PAIR = {"nearer": "near", "farther": "far", "in_seeds": 3, "seeds": 3, "p": 0.1, "p_holm": 0.1, "settled": False}
SETTLED = {
    "pairs": [PAIR],
    "endings": {"near": "still improving", "far": "not known"},
    "seconds": 10.0,
    "at_equal_seconds": {"near": 0.45},
}


@pytest.fixture
def tables(tmp_path, monkeypatch):
    """The writer of tables, on a result file of two methods; `tables.write` changes what is settled."""
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    module = importlib.import_module("describe_comparison")
    monkeypatch.setattr(module.describe_results, "RESULTS", tmp_path)

    def write(pair):
        data = {"budget": 80.0, "cells": CELLS, "settled": {"ring": {**SETTLED, "pairs": [{**PAIR, **pair}]}}}
        (tmp_path / "gan_comparison_points.json").write_text(json.dumps(data))
        (tmp_path / "gan_comparison_digits.json").write_text(json.dumps({"cells": []}))

    write({})
    monkeypatch.setattr(module, "write", write, raising=False)
    return module


def test_the_nearest_comes_first_with_median_and_range(tables):
    lines = tables.comparison("ring")
    assert lines[2] == "| near | 0.01 | beta1 0.5 | 8 | 8 (7 to 9) | 50 | 0.30 (0.20 to 0.40) | 0.50 |"
    assert lines[3] == "| far | 0.01 | beta1 0.5 | 8 | 8 (7 to 9) | 50 | 2.00 (1.00 to 3.00) |  |"
    assert "80 gradients each; median and range over 3 seeds; perfect samples: $W_1$ 0.1." in lines


def test_an_order_is_settled_only_where_the_file_says_so(tables):
    lines = tables.settled("ring")
    near = "| near | in 3 of 3 seeds, p = 0.1 | 0 of 1 | 0.65 to 0.25 | still improving | 20.0 | 0.45 |"
    assert lines[2:4] == [near, "| far |  | 0 of 1 |  | not known | 20.0 |  |"]
    assert lines[-2].startswith("0 of 1 orders are settled")
    tables.write({"p_holm": 0.00001, "settled": True})
    lines = tables.settled("ring")
    assert lines[2].startswith("| near | in 3 of 3 seeds, p < 0.0001, settled | 1 of 1 |")
    assert lines[-2].startswith("1 of 1 orders are settled")


def test_a_step_size_at_an_edge_is_called_so(tables):
    lines = tables.tuning()
    assert lines[2] == "| far | 0.001, 0.003, **0.01** | an edge | beta1 | **0.5** |"
    assert lines[3] == "| near | 0.001, **0.01**, 0.1 | inside | beta1 | 0, **0.5**, 0.9 |"


def test_what_was_not_run_is_refused_by_name(tables):
    with pytest.raises(tables.describe_results.NotMeasured, match="grid"):
        tables.comparison("grid")


def test_the_whole_page_is_written_out(monkeypatch):
    """With the committed result files: every block has its writer, and nothing is missing."""
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    catalogue, results = (importlib.import_module(name) for name in ("catalogue", "describe_results"))
    monkeypatch.setattr(results.pictures, "keep", lambda name, draw: f"/{name}.svg")
    page = catalogue.expand((EXTENSIONS.parent / "gans" / "comparison.md").read_text())
    assert "{catalogue}" not in page
    assert "Not measured" not in page
    assert page.count("orders are settled: exact rank tests") == 4


def test_the_page_counts_what_its_result_file_settles():
    """Each verdict's number of settled orders, the one order that all data share, and the endings that are counted."""
    root = EXTENSIONS.parent.parent
    page = (root / "docs" / "gans" / "comparison.md").read_text()
    settled = json.loads((root / "benchmarks" / "results" / "gan_comparison_points.json").read_text())["settled"]
    orders = []
    for name, found in settled.items():
        section = page[page.index(f"gan-comparison-settled {name}") :].partition("\n## ")[0]
        orders.append({(pair["nearer"], pair["farther"]) for pair in found["pairs"] if pair["settled"]})
        assert f"{len(orders[-1])} of {len(found['pairs'])} orders are settled" in " ".join(section.split())
    assert set.intersection(*orders) == {("WGAN-GP", "extragradient")}
    assert not any((b, a) in other for own in orders for a, b in own for other in orders)
    endings = [word for found in settled.values() for word in found["endings"].values()]
    assert f"{endings.count('still improving')} of {len(endings)} endings" in page
    assert endings.count("worse with more") == 2


def test_the_page_counts_what_the_digits_settle():
    """Orders, the seeds of the first pair, classes, and who goes on improving: as the result file has them."""
    root = EXTENSIONS.parent.parent
    page = " ".join((root / "docs" / "gans" / "comparison.md").read_text().partition("## Real digits")[2].split())
    data = json.loads((root / "benchmarks" / "results" / "gan_comparison_digits.json").read_text())
    found = data["settled"]["digits"]
    assert f"{sum(pair['settled'] for pair in found['pairs'])} of {len(found['pairs'])} orders are settled" in page
    left = {(pair["nearer"], pair["farther"]) for pair in found["pairs"] if not pair["settled"]}
    assert left == {("non-saturating", "R1"), ("minimax", "extragradient"), ("WGAN-GP", "consensus")}
    first = next(pair for pair in found["pairs"] if pair["nearer"] == "non-saturating" and pair["farther"] == "R1")
    assert (first["in_seeds"], first["seeds"]) == (5, 7)
    runs = [row for row in data["cells"] if row["stage"] == "run" and row["method"] != "gap descent"]
    assert (sum(row["near"] == 10 for row in runs), len(runs)) == (43, 49)
    assert {row["near"] for row in runs} == {8, 9, 10}
    improving = {m for m, word in found["endings"].items() if word == "still improving"}
    assert {"non-saturating", "R1", "extragradient", "consensus"} <= improving
