"""Numbers and points of unusual kinds: computed with, or refused in one line."""

from __future__ import annotations

import fractions

import numpy as np
import pytest
import torch

import gandyn as gd

GAME, RULE, HUGE = gd.games.quadratic(1, 2, 1), gd.rules.GDA(0.1), 10**400
DAYS = np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[D]")
MASKED = np.ma.array([[0.1, 0.2]], mask=[[False, True]])
REFUSED = {
    "meta": lambda: gd.iterate(GAME, RULE, torch.zeros(2, device="meta"), 3),
    "sparse": lambda: gd.iterate(GAME, RULE, torch.zeros(2).to_sparse(), 3),
    "8 bits": lambda: gd.iterate(GAME, RULE, torch.zeros(2).to(torch.float8_e4m3fn), 3),
    "huge": lambda: gd.iterate(GAME, RULE, [HUGE, 0], 3),
    "huge fraction": lambda: gd.iterate(GAME, RULE, [fractions.Fraction(HUGE, 3), 0], 3),
    "days": lambda: gd.duality_gap(GAME, DAYS),
    "nobody": lambda: gd.duality_gap(GAME, np.zeros((0, 2))),
    "nobody's basins": lambda: gd.basins(GAME, RULE, np.zeros((0, 2))),
    "nobody's picture": lambda: gd.iterate(GAME, RULE, np.zeros((0, 2)), 3).plot(),
    "time": lambda: gd.flow(GAME, [1, 0.5], HUGE),
    "budget": lambda: gd.fixed_points(GAME, budget=HUGE),
    "bound": lambda: gd.iterate(GAME, RULE, [1, 0.5], 3, bound=HUGE),
    "masked": lambda: gd.iterate(GAME, RULE, MASKED[0], 3),
    "masked basins": lambda: gd.basins(GAME, RULE, MASKED),
    "free start": lambda: gd.path_angle(GAME, ["a", 0.5], [1.0, 1.0]),
    "free point of a proof": lambda: gd.certify(GAME, RULE, at=["a", 0]),
    "points of a proof": lambda: gd.certify(GAME, RULE, at=[[0, 0], [1, 1]]),
    "symbols of an ensemble": lambda: gd.decompose(GAME, [["a", "b"]]),
    "centres": lambda: gd.compare(GAME, [RULE], [[1.0, 0.0], [0.0, 1.0]], 10),
    "module": lambda: gd.games.dirac_gan(penalty=np),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_refused_in_one_line(call):
    with pytest.raises(gd.GandynError) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_numbers_whose_imaginary_part_is_zero_are_real():
    right = gd.iterate(GAME, RULE, [1, 0.5], 3).w
    assert np.array_equal(gd.iterate(GAME, gd.rules.GDA(0.1 + 0j), [1, 0.5], 3).w, right)


@pytest.mark.parametrize("point", [torch.tensor([1.0, 0.5]).bfloat16(), torch.tensor([1.0, 0.5], requires_grad=True)])
def test_tensors_that_numpy_does_not_take_are_points(point):
    assert gd.decompose(GAME, point).kind == gd.decompose(GAME, [1.0, 0.5]).kind
    assert gd.duality_gap(GAME, point).value == gd.duality_gap(GAME, [1.0, 0.5]).value
    flow, right = gd.flow(GAME, point, 0.5), gd.flow(GAME, [1.0, 0.5], 0.5)
    assert flow.w.dtype == point.dtype
    assert flow.steps == right.steps
    np.testing.assert_allclose(flow.w[-1].detach().double(), right.w[-1], rtol=2**-8)
