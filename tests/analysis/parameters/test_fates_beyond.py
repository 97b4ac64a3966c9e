"""What is said of a marginal interval, and of the reach of a linear part: never more than was looked at."""

import re

import numpy as np
import pytest
import sympy
from typer.testing import CliRunner

import gandyn as gd
from gandyn.analysis.parameters.fates import fates
from gandyn.cli import app
from gandyn.errors import DomainError

x, y = sympy.symbols("x y", real=True)
c = sympy.Symbol("c", positive=True)


def radial(bend):
    """The flow x' = -c y - bend x^3, y' = c x - bend y^3: it turns, and r' = -(3/4) bend r^3 on the average."""
    costs = [c * x * y + bend * x**4 / 4, -c * x * y + bend * y**4 / 4]
    return gd.games.from_sympy(costs, {"x": [x], "y": [y]}, equilibria=[(0, 0)])


def test_a_fate_that_changes_inside_an_interval_is_not_told_from_one_value():
    (found,) = fates(radial(c - 2), None)
    assert (found.low, found.high, found.verdict, found.fate, found.throughout) == (0, sympy.oo, "marginal",
                                                                                  "undecided", False)  # fmt: skip
    for value, fate in found.looked:
        assert fate == ("repelling" if value < 2 else "attracting")
        game = radial(c - 2).with_values({c: value})
        end = np.linalg.norm(gd.flow(game, [0.1, 0], 40).w[-1])
        assert bool(end < 0.1) is (fate == "attracting")
    (found,) = fates(radial(c), None)
    assert (found.fate, found.throughout, len(found.looked)) == ("attracting", False, 3)


def test_a_fate_of_an_affine_step_holds_throughout():
    first, _ = fates(gd.games.bilinear(), gd.rules.AlternatingGD("lr"))
    assert (first.fate, first.throughout) == ("conservative", True)


def test_a_region_says_of_the_linear_part_alone_that_it_never_attracts():
    """The cubic term attracts for every c."""
    region = gd.stability_region(radial(c), None, ("c",))
    assert region.summary().startswith("the linear part of gradient flow")
    assert str(gd.linearize(radial(c).with_values({c: sympy.Integer(1)})).fate) == "attracting"


def page(*arguments):
    shown = CliRunner().invoke(app, ["analyze", *arguments]).stdout
    rows = re.findall(r"^(\w[^\n]{0,18}?)  +(.*(?:\n {24}.*)*)", shown, re.MULTILINE)
    return {key: " ".join(text.split()) for key, text in rows}


def test_the_page_of_a_step_that_attracts_by_its_cubic_term_does_not_deny_it():
    """r+ = r - (lr/16) r^3 + ...; "no step of it attracts" was said there."""
    found = page("dirac_gan", "--set", "loss=nonsaturating", "--rule", "AlternatingGD(lr)")
    assert "attracting at lr = 1, 2, 3; no other value was tried" in found["in short"]
    assert found["what to do"].startswith("no step of it attracts to first order; ")
    rule = gd.rules.AlternatingGD(1.0)
    end = gd.iterate(gd.games.dirac_gan("nonsaturating"), rule, [0.5, 0], 20_000, "last").w
    assert np.linalg.norm(end) < 0.05


def test_the_forsaken_point_attracts_locally():
    found = page("forsaken", "--rule", "GDA(0.05)")
    assert found["in short"].startswith("attracting locally, ")
    assert re.match(r"steps below 0.108276 attract locally; ", found["what to do"])
    game = gd.games.forsaken()
    lin = gd.linearize(game, gd.rules.GDA(0.05))
    assert all("attracting locally" in text for text in (repr(lin), lin._repr_html_(), lin.summary()))
    point = np.array([float(v) for v in game.equilibria[0]])
    ends = gd.iterate(game, gd.rules.GDA(0.05), point + np.array([[0.05, 0], [1, 0], [0, 1]]), 4000, "last").w
    assert (np.linalg.norm(ends - point, axis=-1) < 0.1).tolist() == [True, False, False]
    whole = gd.linearize(gd.games.quadratic(1, 2, 1))
    assert repr(whole).endswith(": attracting>")


def test_a_game_of_torch_gets_advice_that_can_be_followed():
    game = gd.games.from_torch(lambda x, y: ((x**2).sum() + x @ y, (y**2).sum() - x @ y), {"x": 1, "y": 1})
    with pytest.raises(DomainError, match=r"bisect on gd\.linearize\(game, GDA\(x\), at=w\)\.spectral_radius"):
        gd.stability_region(game, gd.rules.GDA("lr"), at=[0, 0])
    sizes = [gd.linearize(game, gd.rules.GDA(lr), at=[0, 0]).spectral_radius for lr in (0.799, 0.801)]
    assert sizes[0] < 1 < sizes[1]  # J = [[2, 1], [-1, 2]]: 2 * 2 / 5 = 0.8


def test_points_are_arrays():
    game = gd.games.quadratic(1, 2, 1)
    found = gd.fixed_points(game)
    assert np.asarray(found[0]).tolist() == [0, 0]
    assert np.asarray(found).shape == (1, 2)
    run = gd.iterate(game, gd.rules.GDA(0.1), found[0] + np.ones(2), 5)
    assert np.asarray(run) is run.w
    assert np.asarray(run, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize("bend", [sympy.Abs(x), x * sympy.Abs(x) / 2, sympy.Max(x, 0) ** 2])
def test_time_scales_at_a_kink_are_refused(bend):
    """The slope of |x| at 0 is neither of its one-sided slopes, and not their mean either."""
    game = gd.games.from_sympy(bend + x * y - y**2, [x, y])
    with pytest.raises(DomainError, match="no derivative at this point"):
        gd.analysis.attracting_time_scales(game, (0, 0))


def test_regions_of_three_kinds_beside_eigenvalues():
    """Unequal steps, a momentum of any sign, and a parameter of the game that may be negative."""
    k = sympy.Symbol("k", real=True)
    game = gd.games.quadratic(1, 2, 1)
    two = gd.stability_region(game, gd.rules.GDA(("lr", "eta")), ("lr", "eta"))
    heavy = gd.stability_region(game, gd.rules.HeavyBall("lr", "momentum"), ("lr", "momentum"))
    bent = gd.games.from_sympy([k * x**2 / 2 + x * y, -x * y + y**2 / 2], [x, y], equilibria=[(0, 0)])
    one = gd.stability_region(bent, gd.rules.GDA(sympy.Rational(1, 5)), ("k",))
    jacobian = np.array([[1, 2], [-2, 1]])

    def radius(matrix):
        return np.abs(np.linalg.eigvals(matrix)).max()

    for a, b in [(0.1, 0.4), (0.4, 0.1), (0.01, 2), (2, 0.01), (1, 0.3), (1e-6, 0.3)]:
        assert two.contains(lr=a, eta=b) is bool(radius(np.eye(2) - np.diag([a, b]) @ jacobian) < 1)
    for lr, m in [(0.1, -0.3), (0.1, 0), (0.1, 0.5), (0.1, 1.2), (0.3, -0.9), (0.45, -0.5)]:
        step = np.block([[np.eye(2) * (1 + m) - lr * jacobian, -m * np.eye(2)], [np.eye(2), np.zeros((2, 2))]])
        assert heavy.contains(lr=lr, momentum=m) is bool(radius(step) < 1)
    for v in (-3, -1.2, -0.9, -0.1, 0, 0.1, 9.9, 10.2):
        assert one.contains(k=v) is bool(radius(np.eye(2) - 0.2 * np.array([[v, 1], [-1, 1]])) < 1)
