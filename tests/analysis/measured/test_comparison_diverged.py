"""Seeds that diverged count as infinite in a comparison: never as nan, never as the last point before they did."""

import numpy as np
import pytest

import gandyn as gd
from gandyn.analysis.measured.comparison import Contender


def contender(last):
    values = np.column_stack([np.ones(len(last)), last])
    return Contender("a rule", gd.rules.GDA(0.1), {}, np.arange(2), values, 2, int(np.sum(~np.isfinite(last))))


def test_the_median_stands_while_fewer_than_half_diverge():
    assert contender([1.0, 2.0, 3.0, 4.0, np.inf]).final == (3.0, 2.0, 4.0)
    assert contender([1.0, 2.0, np.nan, np.inf, np.inf]).final == (np.inf, 2.0, np.inf)
    assert contender([1.0, 2.0, 3.0, 4.0]).final == pytest.approx((2.5, 1.75, 3.25))


def test_rules_that_diverge_are_listed_last_with_an_infinite_distance():
    rules = {"steady": gd.rules.Extragradient(0.1), "wild": gd.rules.GDA(5.0)}
    found = gd.compare(gd.games.bilinear(), rules, [1.0, 0.0], budget=3000, step_sizes=None)
    assert [c.label for c in found.contenders] == ["steady", "wild"]
    assert found.contenders[1].diverged == 8
    assert found.contenders[1].final[0] > 1e300
    assert "nan" not in found.summary()
