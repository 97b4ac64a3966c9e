"""What gd.rate and the classes refuse, each in one line."""

import math

import pytest
import sympy

import gandyn as gd
from gandyn.errors import DomainError, ParameterError

R, C = gd.rules, gd.classes
BILINEAR = C.Bilinear(0.5, 2)


@pytest.mark.parametrize(
    "bad",
    [
        lambda: C.Bilinear(2, 1),
        lambda: C.Bilinear(-1, 1),
        lambda: C.Bilinear(0, 0),
        lambda: C.Bilinear("a", 1),
        lambda: C.Bilinear(1j, 2),
        lambda: C.StronglyMonotone(2, 1),
        lambda: C.StronglyMonotone(math.nan, 1),
        lambda: C.StronglyMonotone(True, 1),
        lambda: C.Spectrum(),
        lambda: C.Spectrum(points=[1], disc=(1, 1)),
        lambda: C.Spectrum(points=[]),
        lambda: C.Spectrum(points="ab"),
        lambda: C.Spectrum(points=[math.inf]),
        lambda: C.Spectrum(segment=(1, 2, 3)),
        lambda: C.Spectrum(disc=(1, -1)),
        lambda: C.Spectrum(ellipse=(1, 0, 0)),
        lambda: C.Spectrum(cross=(1, 2)),
        lambda: C.Spectrum(polygon=[1, 2]),
        lambda: C.Spectrum(points=[sympy.Symbol("a")]),
        lambda: gd.rate(R.GDA("lr"), BILINEAR),
        lambda: gd.rate(R.GDA(0.1), (0.5, 2)),
    ],
)
def test_bad_classes_are_refused_in_one_line(bad):
    with pytest.raises(ParameterError) as caught:
        bad()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "bad",
    [
        lambda: gd.rate(R.Adam(0.1), BILINEAR),
        lambda: gd.rate(R.Consensus(0.1, 0.2), C.StronglyMonotone(0.1, 1)),
        lambda: gd.rate(R.Anchored(0.1), C.StronglyMonotone(0.1, 1)),
        lambda: gd.rate(R.GDA(0.1), BILINEAR, method="lyapunov"),
        lambda: gd.rate(R.OptimisticGD(0.1), C.StronglyMonotone(0.1, 1), method="performance"),
        lambda: gd.rate(R.GDA((0.1, 0.2)), C.StronglyMonotone(0.1, 1)),
        lambda: gd.rate(R.TimeScale(R.GDA(0.1), 3), C.StronglyMonotone(0.1, 1)),
        lambda: gd.rate(R.AlternatingGD(0.1), C.StronglyMonotone(0.1, 1)),
    ],
)
def test_rules_outside_a_class_are_refused(bad):
    with pytest.raises(DomainError):
        bad()


def test_many_points_are_printed_by_their_ends():
    over = gd.classes.Spectrum(points=[0.5 + k / 10 + 0.25j for k in range(20)])
    assert str(over).endswith("in 20 points with real parts from 0.5 to 2.4 and imaginary parts up to 0.25")
    assert str(gd.classes.Spectrum(points=[1, 2])).endswith("in points (1, 2)")
