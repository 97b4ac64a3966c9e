"""What several seeds settle: the rank test against all splits, Holm's steps, and each word of an ending."""

from __future__ import annotations

import importlib.util
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, rankdata

PATH = Path(__file__).parent.parent / "benchmarks" / "verdicts.py"
SPEC = importlib.util.spec_from_file_location("benchmark_verdicts", PATH)
verdicts = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(verdicts)


def by_all_splits(one, other):
    """The rank test from its definition: every way to choose which numbers are the first's."""
    ranks = rankdata([*one, *other])
    sums = [sum(chosen) for chosen in itertools.combinations(ranks, len(one))]
    middle = len(one) * ranks.mean()
    return np.mean([abs(s - middle) >= abs(ranks[: len(one)].sum() - middle) - 1e-9 for s in sums])


@pytest.mark.parametrize("seed", range(4))
def test_the_rank_test_is_exact_with_and_without_ties(seed):
    rng = np.random.default_rng(seed)
    one, other = rng.normal(size=5), rng.normal(0.8, 1, size=6)
    assert verdicts.rank_test(one, other) == pytest.approx(by_all_splits(one, other), abs=1e-12)
    assert verdicts.rank_test(one, other) == pytest.approx(mannwhitneyu(one, other, method="exact").pvalue, abs=1e-12)
    tied = [rng.integers(0, 3, size=size).astype(float) for size in (5, 6)]
    tied[1][:2] = math.inf
    assert verdicts.rank_test(*tied) == pytest.approx(by_all_splits(*tied), abs=1e-12)


def test_holm_multiplies_the_smallest_by_all_and_never_falls():
    assert verdicts.holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert verdicts.holm([0.4, 0.6]) == pytest.approx([0.8, 0.8])


def test_pairs_are_settled_only_where_the_seeds_are_apart():
    near, same, far = [float(x) for x in range(10)], [x + 0.5 for x in range(10)], [x + 20.0 for x in range(10)]
    found = {(row["nearer"], row["farther"]): row for row in verdicts.pairs({"far": far, "same": same, "near": near})}
    assert set(found) == {("near", "same"), ("near", "far"), ("same", "far")}
    assert [found[pair]["settled"] for pair in sorted(found)] == [True, False, True]
    assert found["near", "far"]["p_holm"] == pytest.approx(3 * 2 / math.comb(20, 10))
    assert found["near", "same"]["in_seeds"] == found["near", "far"]["seeds"] == 10


def test_28_pairs_cannot_be_settled_by_five_seeds_but_by_seven():
    """Why the grids have seven: complete separation is as much as seeds can show."""

    def least(n):
        return 28 * verdicts.rank_test(list(range(n)), list(range(n, 2 * n)))

    assert least(5) > 0.2 > verdicts.LEVEL > least(7)


@pytest.mark.parametrize(
    ("half", "whole", "word"),
    [
        ([1, 1, 1, 1, 1], [0.8, 0.8, 0.8, 0.8, 1.1], "still improving"),
        ([1, 1, 1, 1, 1], [0.8, 0.8, 0.8, 1.1, 1.1], "converged"),
        ([1, 1, 1, 1, 1], [0.95, 0.95, 0.95, 0.95, 0.95], "converged"),
        ([0.8, 0.8, 0.8, 0.8, 1.1], [1, 1, 1, 1, 1], "worse with more"),
        ([1, 1, 1, 1, 1], [math.inf, math.inf, math.inf, 1, 1], "diverged"),
        ([1, 1, 1, 1, math.inf], [0.8, 0.8, 0.8, 0.8, 0.8, math.inf], "still improving"),
        ([], [1, 1, 1], "not known"),
    ],
)
def test_each_ending_has_its_word(half, whole, word):
    assert verdicts.ending(half, whole) == word


def test_equal_seconds_are_interpolated_along_the_logarithm_of_the_budget():
    seconds, found = verdicts.at_equal_seconds(
        {"dear": 4.0, "middle": 4.0, "cheap": 4.0}, {"dear": 2.0, "middle": 2.0, "cheap": 2.0},
        {"dear": 40.0, "middle": 20.0 * 2**0.5, "cheap": 10.0},
    )  # fmt: skip
    assert seconds == 20
    assert found == pytest.approx({"dear": 4.0, "middle": 3.0, "cheap": 2.0})
