"""worst_case: proven bounds against closed forms, an independent checker of the certificate, members, and PEPit."""

import json
import math
import time
from fractions import Fraction

import numpy as np
import pytest
from worst_case_cases import CASES

import gandyn as gd
from catalogue import RULES
from catalogue import rule as the_rule
from gandyn.analysis.certificates import dual_certificate
from gandyn.analysis.certificates import worst_case as worst_case_module
from gandyn.analysis.certificates.worst_case import WorstCase
from gandyn.types import Game, Player

pytest.importorskip("clarabel", reason="needs the extra gandyn[proof]")


# --- closed forms -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "mu", "lipschitz", "value"),
    [
        (gd.rules.GDA(0.1), 0.1, 1.0, 1 - 2 * 0.1 * 0.1 + 0.1**2),
        (gd.rules.GDA(0.1), 0.5, 2.0, 1 - 2 * 0.1 * 0.5 + 0.1**2 * 4),
        (gd.rules.GDA(0.3), 0.0, 1.0, 1 + 0.3**2),
        (gd.rules.GDA(1e-6), 0.5, 1.0, 1 - 1e-6 + 1e-12),
        (gd.rules.GDA(3e6), 0.0, 1e-6, 10.0),
        # <w+ - w*, v(w+)> >= mu |w+ - w*|^2 gives |w - w*| >= (1 + lr mu) |w+ - w*|.
        (gd.rules.ProximalPoint(0.5), 0.1, 1.0, 1 / (1 + 0.5 * 0.1) ** 2),
        # From pairwise inequalities: (1 - a b / (a + b))^2 with a = lr mu, b = 1 - lr L.
        (gd.rules.Extragradient(0.4), 0.1, 1.0, (1 - 0.04 * 0.6 / 0.64) ** 2),
        (gd.rules.Extragradient(0.3), 0.0, 1.0, 1.0),
    ],
    ids=str,
)
def test_one_step_meets_the_closed_form_from_above(rule, mu, lipschitz, value):
    found = gd.worst_case(rule, mu=mu, lipschitz=lipschitz)
    assert value - 1e-15 * value <= found.value <= value + 1e-8 * value
    assert found.lower <= value * (1 + 1e-15)


def test_extragradient_on_monotone_fields_is_no_contraction():
    """v = 0 is monotone: no bound below 1 is true, and none may be reported, not even by rounding."""
    for steps in (1, 3):
        found = gd.worst_case(gd.rules.Extragradient(0.3), 0, 1, steps)
        assert found.lower == 1
        assert 1 <= found.value < 1 + 1e-8
        assert found.contracts is not True
    assert gd.worst_case(gd.rules.Extragradient(0.3), 0.1, 1, 1).contracts is True
    assert gd.worst_case(gd.rules.GDA(0.3)).contracts is False


def test_the_linear_member_shows_what_the_inequalities_may_cost():
    """lr .4, mu .1, L 1: the worst linear field v = .1 w gives .9616^2, the bound is .9625^2."""
    found = gd.worst_case(gd.rules.Extragradient(0.4), 0.1, 1.0)
    assert found.interval == pytest.approx((0.9616**2, 0.9625**2), abs=1e-9)
    assert found.member == pytest.approx(0.1)
    assert found.kind == "upper"
    assert "proven by a dual certificate checked in exact arithmetic" in found.summary()
    assert "no bound lies below it" in found.summary()


# --- the certificate, repeated by other means -------------------------------------------------------------------------


def positive_semidefinite(matrix):
    """By symmetric elimination with the largest diagonal entry as pivot, in fractions."""
    rows = [list(row) for row in matrix]
    left = list(range(len(rows)))
    while left:
        p = max(left, key=lambda k: rows[k][k])
        if rows[p][p] < 0:
            return False
        if rows[p][p] == 0:
            return all(rows[i][j] == 0 for i in left for j in left)
        left.remove(p)
        for i in left:
            for j in left:
                rows[i][j] -= rows[i][p] * rows[p][j] / rows[p][p]
    return True


def form(terms, size):
    """The matrix of sum of c <a, b>, for (c, a, b) with coefficient rows a and b."""
    matrix = [[Fraction(0)] * size for _ in range(size)]
    for c, a, b in terms:
        for i in range(size):
            for j in range(size):
                matrix[i][j] += c * (a[i] * b[j] + a[j] * b[i]) / 2
    return matrix


def checked(data):
    """The certificate of a result's plain data: does rho^2 |w_0|^2 - |w_T|^2 - sum(lambda * inequality) >= 0 hold?"""
    points = [[Fraction(c) for c in row] for row in data["points"]]
    size, kappa = len(points[0]), Fraction(data["kappa"])
    values = [[Fraction(int(k == i and i > 0)) for k in range(size)] for i in range(len(points))]
    start, last = [Fraction(int(k == 0)) for k in range(size)], [Fraction(c) for c in data["last"]]
    terms = [(Fraction(data["bound"]), start, start), (Fraction(-1), last, last)]
    for i, j, kind, factor in data["multipliers"]:
        factor = Fraction(factor)
        assert factor >= 0
        dx = [a - b for a, b in zip(points[i], points[j], strict=True)]
        dv = [a - b for a, b in zip(values[i], values[j], strict=True)]
        if kind == "monotone":
            terms += [(-factor, dv, dx), (factor * kappa, dx, dx)]
        else:
            terms += [(-factor, dx, dx), (factor, dv, dv)]
    return positive_semidefinite(form(terms, size))


@pytest.mark.parametrize(("rule", "mu", "lipschitz", "steps"), CASES, ids=str)
def test_an_independent_checker_repeats_every_certificate(rule, mu, lipschitz, steps):
    found = gd.worst_case(rule, mu, lipschitz, steps)
    data = json.loads(json.dumps(found.to_dict()))
    assert checked(data["certificate"])
    assert found.certificate.holds()
    assert Fraction(found.value) >= Fraction(data["certificate"]["bound"])
    broken = {**data["certificate"], "bound": str(Fraction(found.lower) * Fraction(99, 100))}
    assert not checked(broken)


def test_the_points_of_a_certificate_are_those_of_the_rule():
    """Extragradient by hand: w - h v, then w - h v', twice; the basis is (w_0, v_1 / L, ..., v_4 / L), L = 2."""
    run = gd.worst_case(gd.rules.Extragradient(0.25), 0.5, 2.0, 2).certificate.run
    h = Fraction(1, 2)  # lr L
    assert run.kappa == Fraction(1, 4)
    assert run.points == (
        (0, 0, 0, 0, 0),
        (1, 0, 0, 0, 0),
        (1, -h, 0, 0, 0),
        (1, 0, -h, 0, 0),
        (1, 0, -h, -h, 0),
    )
    assert run.last == (1, 0, -h, 0, -h)


# --- fields of the class ----------------------------------------------------------------------------------------------


def members(rng, mu, lipschitz, count):
    """Strongly monotone Lipschitz fields on the plane, v(0) = 0, none of them linear."""
    for _ in range(count):
        turn = rng.uniform(-1, 1)
        kinks, bend = rng.uniform(0, 1, 2), rng.normal(size=(2, 2))
        bend /= np.linalg.norm(bend, 2)

        def field(w, turn=turn, kinks=kinks, bend=bend):
            raw = turn * np.stack([w[..., 1], -w[..., 0]], -1)  # monotone, |turn|-Lipschitz
            raw = raw + (np.maximum(w @ bend.T, 0) * kinks) @ bend  # gradient of a convex function, 1-Lipschitz
            return mu * w + (lipschitz - mu) / (1 + abs(turn)) * raw

        yield field


class FieldGame(Game):
    name = "a field"
    players = (Player("w", 2),)
    worlds = frozenset({"numpy"})

    def __init__(self, function):
        self.function = function

    def _field(self, w, batch, only):
        return self.function(w)

    def _costs(self, w, batch):
        raise AssertionError("rules read the field alone")


@pytest.mark.parametrize(
    ("rule", "mu", "lipschitz", "steps"), [c for c in CASES if not hasattr(c[0], "residual")], ids=str
)
def test_no_field_of_the_class_does_worse(rule, mu, lipschitz, steps):
    found, rng = gd.worst_case(rule, mu, lipschitz, steps), np.random.default_rng(0)
    most = 0.0
    for field in members(rng, mu, lipschitz, 40):
        game, w = FieldGame(field), rng.normal(size=(200, 2))
        at, state = w, rule.init(game, w)
        for _ in range(steps):
            at, state, _ = rule.step(game, at, state)
        most = max(most, float(np.max((at**2).sum(-1) / (w**2).sum(-1))))
    assert most <= found.value
    z = found.member
    game = FieldGame(lambda w: w @ np.array([[z.real, -z.imag], [z.imag, z.real]]).T)
    at, state = np.array([1.0, 0.0]), rule.init(game, np.array([1.0, 0.0]))
    for _ in range(steps):
        at, state, _ = rule.step(game, at, state)
    assert float(at @ at) == pytest.approx(found.lower, rel=1e-12)


@pytest.mark.parametrize("rule", [gd.rules.Extragradient(0.3), gd.rules.OptimisticGD(0.2)], ids=str)
def test_five_steps_are_bounded_too(rule):
    found = gd.worst_case(rule, 0.1, 1.0, 5)
    assert found.kind == "upper"
    assert found.lower <= found.value <= gd.worst_case(rule, 0.1, 1.0, 1).value ** (5 if "Extra" in rule.name else 0)
    assert found.value - found.lower < 1e-3


def test_what_is_printed_is_a_bound_too():
    """1 + 2e-13 is shown as 1.000000001, never as 1."""
    text = gd.worst_case(gd.rules.Extragradient(0.3), 0, 1, 1).summary()
    assert "<= 1.000000001 |w_0" in text
    assert "gives 1: no bound" in text
    for steps in (1, 2, 3, 7):
        found = WorstCase(gd.rules.GDA(0.1), 0.0, 1.0, steps, 0.7)
        assert Fraction(found.per_step) ** (2 * steps) >= Fraction(0.7)


def test_without_time_or_room_it_is_undecided_and_says_so():
    hurried = gd.worst_case(gd.rules.Extragradient(0.31), 0.1, 1.0, 5, budget=1e-9)
    assert (hurried.kind, hurried.value, hurried.certificate) == ("undecided", math.inf, None)
    assert "undecided: out of time" in hurried.summary()
    assert hurried.lower > 0.7
    vast = gd.worst_case(gd.rules.GDA(0.1), 0.0, 1.0, 150)
    assert vast.kind == "undecided"
    assert "too large" in vast.summary()


def test_rules_outside_the_class_are_refused_by_name():
    with pytest.raises(gd.GandynError, match="linear in the field"):
        gd.worst_case(gd.rules.Adam(0.1))
    with pytest.raises(gd.GandynError, match="0 <= mu"):
        gd.worst_case(gd.rules.GDA(0.1), mu=2.0, lipschitz=1.0)
    with pytest.raises(gd.GandynError, match="no value"):
        gd.worst_case(gd.rules.GDA("lr"))
    with pytest.raises(gd.GandynError, match="per player"):
        gd.worst_case(gd.rules.GDA((0.1, 0.2)))
    with pytest.raises(gd.GandynError, match="seconds"):
        gd.worst_case(gd.rules.GDA(0.1), budget=0)


def test_a_class_of_one_player_has_no_ratio_of_step_sizes():
    with pytest.raises(gd.GandynError, match="one player"):
        gd.worst_case(gd.rules.TimeScale(gd.rules.GDA(0.1), 3), 0.5)
    with pytest.raises(gd.GandynError, match="per player"):
        gd.worst_case(gd.rules.GDA({"x": 0.1, "y": 0.2}), 0.5)


def _has_a_bound(rule):
    one_step = " (" not in repr(rule).replace("=(", " (")
    return rule.domain.linear_in_field and one_step and not rule.domain.several_players


LINEAR = [c for c in RULES if _has_a_bound(the_rule(c))]


@pytest.mark.parametrize("rule", [the_rule(c) for c in LINEAR], ids=repr)
def test_every_rule_that_is_linear_in_the_field_has_its_bound(rule):
    found = gd.worst_case(rule, 0.1, 1.0, 2)
    assert found.kind in {"upper", "exact"}
    assert found.certificate.holds()
    assert 0 < found.lower <= found.value < math.inf


def test_the_factor_per_step_is_the_root_of_the_bound_on_squares():
    found = WorstCase(gd.rules.GDA(0.1), 0.0, 1.0, steps=4, value=1 / 256)
    assert found.per_step == pytest.approx(0.5)
    assert "factor 0.5 a step" in found.summary()


# --- against PEPit ----------------------------------------------------------------------------------------------------


def test_zero_less_a_point_is_the_point_turned_round():
    from gandyn.analysis.certificates.performance_points import Point

    point = Point({0: Fraction(2), 3: Fraction(-1, 3)})
    assert (0 - point).terms == {0: Fraction(-2), 3: Fraction(1, 3)}
    assert (point - point).terms == {}


def test_a_multiplier_goes_with_the_size_of_its_inequality():
    """min rho with [[rho - m, -1], [-1, m]] >= 0: rho = m + 1 / m, so m = 1; a small inequality has a large one."""
    columns = np.array([np.diag([1.0, -1.0])])
    objective, later = np.array([[0.0, 1.0], [1.0, 0.0]]), time.monotonic() + 1000
    found = dual_certificate._multipliers(columns, objective, 0.0, later)
    np.testing.assert_allclose(found, [1.0], atol=1e-5)
    small = dual_certificate._multipliers(columns * 2.0**-30, objective, 0.0, later)
    np.testing.assert_array_equal(small, found * 2.0**30)


def test_rational_coefficients_enter_a_proof_exactly():
    """1 - 2 lr mu + lr^2 at lr = 1/3, mu = 1/2 is 7/9; the float nearest to 1/3 gives another number."""
    found = gd.worst_case(gd.rules.GDA("1/3"), 0.5, 1.0)
    assert Fraction(7, 9) <= found.certificate.bound < Fraction(7, 9) + Fraction(1, 10**6)
    assert found.certificate.run.last[1] == Fraction(-1, 3)


def test_what_leaves_the_range_of_floats_is_refused_in_words():
    with pytest.raises(gd.GandynError, match="no floats"):
        gd.worst_case(gd.rules.GDA(1e200), 0, 1)


def test_an_answer_that_lacked_time_is_not_kept(monkeypatch):
    arguments = (gd.rules.GDA(0.2), 0.3, 1.0, 1)
    with monkeypatch.context() as patch:
        patch.setattr(worst_case_module, "certify", lambda *_: (None, "out of time"))
        assert gd.worst_case(*arguments).kind == "undecided"
    assert gd.worst_case(*arguments).value == pytest.approx(1 - 2 * 0.2 * 0.3 + 0.2**2, abs=1e-6)
