"""The scan of a return map and the solver of its zeros, on maps given by a formula instead of orbits."""

import numpy as np
import pytest

from gandyn.analysis.closed_orbits.planar_cycles import _root
from gandyn.analysis.closed_orbits.return_map import RETURNED, Shots
from gandyn.analysis.closed_orbits.return_scan import scan
from gandyn.budget import Budget


class Formula:
    """P(s) = s exp(g(log s)) around the origin, in a box of half width 1; `asked` holds the starts of all orbits."""

    def __init__(self, g, slope):
        self.g, self.slope, self.asked = g, slope, []
        self.centre, self.width, self.sign = np.zeros(2), np.ones(2), 1.0

    def shoot(self, s, budget, tolerance=1e-11, keep=False, most=0):
        self.asked += s.tolist()
        at, zero = np.log(s), np.zeros(len(s))
        image = s * np.exp(self.g(at))
        slope = np.exp(self.g(at)) * (1 + self.slope(at))  # dP/ds
        return Shots(np.full(len(s), RETURNED), image, zero + 1, zero, slope, steps=len(s))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_zero_of_even_order_is_a_touch_and_one_of_odd_order_a_bracket(sign):
    place = np.log(0.5)
    even = scan(Formula(lambda x: sign * 1e-2 * (x - place) ** 2, lambda x: sign * 2e-2 * (x - place)), Budget(None))
    assert even.brackets == []
    assert even.open == []
    ((s, side),) = even.touches
    assert s == pytest.approx(0.5, rel=1e-3)
    assert side == sign
    odd = scan(Formula(lambda x: -sign * np.tanh(x - place), lambda x: -sign / np.cosh(x - place) ** 2), Budget(None))
    ((low, high),) = odd.brackets
    assert low < 0.5 < high
    assert odd.signs == [(sign, -sign)]
    assert (odd.touches, odd.open) == ([], [])


def test_a_scan_goes_from_a_ten_thousandth_of_the_box_to_ten_thousand_boxes():
    map_ = Formula(lambda x: -np.tanh(x), lambda x: -1 / np.cosh(x) ** 2)
    assert scan(map_, Budget(None)).everywhere
    assert (min(map_.asked), max(map_.asked)) == (pytest.approx(1e-4), pytest.approx(1e4))


@pytest.mark.parametrize("place", [0.3, -0.2])
def test_a_root_takes_a_few_orbits_from_a_wide_bracket(place):
    """Newton's method doubles the digits; halving from (e^-1, e) takes some fifty orbits for as many."""
    map_ = Formula(lambda x: -np.sinh(x - place), lambda x: -np.cosh(x - place))
    s, _ = _root(map_, np.exp(-1.0), np.exp(1.0), 1, 1e-11, Budget(None))
    assert s == pytest.approx(np.exp(place), rel=1e-14)
    assert len(map_.asked) <= 15


def test_a_root_is_found_where_the_slope_at_the_middle_is_zero():
    """g = 1 - x^3 / 2 between e^-3 and e^3: flat at the first guess, 0 at x = 2^(1/3)."""
    map_ = Formula(lambda x: 1 - x**3 / 2, lambda x: -1.5 * x**2)
    s, _ = _root(map_, np.exp(-3.0), np.exp(3.0), 1, 1e-11, Budget(None))
    assert s == pytest.approx(np.exp(2 ** (1 / 3)), rel=1e-13)
