"""Counts of inner steps have an upper limit: one step of a rule must end."""

from __future__ import annotations

import pytest

import gandyn as gd
from gandyn.errors import ParameterError

R = gd.rules
COUNTS = {
    "Lookahead": lambda k: R.Lookahead(R.GDA(0.1), k, 0.5),
    "Unrolled": lambda k: R.Unrolled(0.1, k),
    "DualityGapDescent": lambda k: R.DualityGapDescent(0.1, k, 0.1),
    "AlternatingGD": lambda k: R.AlternatingGD(0.1, repeats=(1, k)),
    "Alternating": lambda k: R.Alternating(R.GDA(0.1), repeats=k),
}


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("count", [10**9, 100_001, -1, 2.0, True, "3", [2, None]])
def test_a_count_is_whole_and_can_be_computed(name, count):
    with pytest.raises(ParameterError, match=r"whole numbers? from \d to 100000"):
        COUNTS[name](count)


@pytest.mark.parametrize("name", COUNTS)
def test_large_counts_are_taken(name):
    assert COUNTS[name](100_000)


def test_the_share_of_every_player_counts_where_there_are_three():
    gda, twice = gd.rules.GDA(0.1), gd.rules.Extragradient(0.1)
    assert gd.rules.Alternating((gda, gda, twice)).cost.fields == 4 / 3
    assert gd.rules.Alternating(gda, repeats=(1, 2, 6)).cost.fields == 3
    assert gd.rules.Alternating(gda).cost.fields == 1
