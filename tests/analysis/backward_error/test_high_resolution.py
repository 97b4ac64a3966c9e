"""High-resolution equations: published forms, errors of iterates at the promised order, what spectra prove."""

import numpy as np
import pytest
import sympy

import gandyn as gd

X, Y = sympy.symbols("x y", real=True)
GENERAL = gd.games.from_sympy([X**2 + 2 * X * Y - Y**3 * X + X**3 / 2, Y**2 / 2 - X * Y + X**2 * Y**2 / 3], [X, Y])
BILINEAR = gd.games.bilinear()
LR = sympy.Symbol("lr", positive=True)
A = sympy.Symbol("alpha", positive=True)
B = sympy.Symbol("b", positive=True)
GDA = gd.rules.GDA(0.1)


@pytest.mark.parametrize(
    ("rule", "published"),
    [
        (GDA, (-2 / LR, -2 / LR, 0, 0)),
        (gd.rules.Extragradient(0.1), (-2 / LR, -2 / LR, 2, 0)),
        (gd.rules.OptimisticGD(0.1), (-2 / LR, -2 / LR, 0, -2)),
        (gd.rules.PastExtragradient(0.1), (-2 / LR, -2 / LR, 0, -2)),
        (gd.rules.Lookahead(GDA, 2, "alpha"), (-2 / LR, -4 * A / LR, 2 * A, 0)),
        (gd.rules.Lookahead(GDA, 3, "alpha"), (-2 / LR, -6 * A / LR, 6 * A, 0)),
        (gd.rules.HeavyBall(0.1, "b"), (-2 * (1 - B) / (1 + B) / LR, -2 / (1 + B) / LR, 0, 0)),
    ],
    ids=repr,
)
def test_the_published_equations(rule, published):
    """Chavdarova et al. 2021, section 4; heavy ball from Taylor's theorem on both sides of a step."""
    found = gd.high_resolution(BILINEAR, rule).coefficients
    assert [sympy.simplify(found[k] - p) for k, p in zip(found, published, strict=True)] == [0] * 4


def _settled(rule, h):
    """Two successive points of the rule long after its start, when its memory has forgotten how it began."""
    run = gd.iterate(GENERAL, rule(h), [0.3, 0.2], round(0.2 / h))  # the same place for every h
    return run.w[-2], run.w[-1]


@pytest.mark.parametrize(
    "rule",
    [
        gd.rules.GDA,
        gd.rules.Extragradient,
        gd.rules.OptimisticGD,
        gd.rules.PastExtragradient,
        lambda h: gd.rules.OptimisticGD((h, 2 * h)),
        lambda h: gd.rules.HeavyBall(h, -0.4),
        lambda h: gd.rules.HeavyBall(h, 0.3),
        lambda h: gd.rules.HeavyBall(h, -0.4, alternating=True),
        lambda h: gd.rules.SGDM(h, 0.5),
        lambda h: gd.rules.Lookahead(gd.rules.GDA(h), 3, 0.4),
    ],
)
def test_one_step_of_the_iterates_is_matched_to_third_order(rule):
    equation, errors = gd.high_resolution(GENERAL, rule(0.1)), []
    for h in (4e-3, 2e-3):
        before, after = _settled(rule, h)
        flow = equation.flow(before, h, lr=h, rtol=1e-12)
        errors.append(np.linalg.norm(flow.w[-1] - after))
    slope = np.log2(errors[0] / errors[1])
    assert 2.5 < slope < 3.6, (slope, errors)  # the gradient flow, and any wrong term, stop at 2


@pytest.mark.parametrize(
    "rule", [GDA, gd.rules.Extragradient(0.1), gd.rules.OptimisticGD(0.1), gd.rules.Lookahead(GDA, 2, 0.4)], ids=repr
)
def test_eigenvalues_against_logarithms_of_the_map_s(rule):
    equation, errors = gd.high_resolution(BILINEAR, rule), []
    for h in (0.02, 0.01):
        slow = gd.linearize(equation.space(h), at=[0, 0, 0, 0]).eigenvalues[:2]
        moved = gd.analysis.backward_error.expansion.with_steps(BILINEAR, rule, (h, h))
        target = np.log(gd.linearize(BILINEAR, moved).eigenvalues[:2]) / h
        errors.append(np.abs(np.sort_complex(slow) - np.sort_complex(target)).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.1)


def test_proofs_for_every_step_size():
    """Routh-Hurwitz on the equations (Chavdarova et al. 2021, theorems 1-3)."""
    region = {
        name: gd.stability_region(gd.high_resolution(BILINEAR, rule).space("lr"), None, ("lr",))
        for name, rule in {
            "gda": GDA,
            "eg": gd.rules.Extragradient(0.1),
            "ogda": gd.rules.OptimisticGD(0.1),
            "la": gd.rules.Lookahead(GDA, 2, "alpha"),
        }.items()
    }
    assert region["gda"].never  # diverges for every lr
    assert region["eg"].critical("lr") == sympy.oo
    assert region["ogda"].critical("lr") == sympy.oo  # though the iterates themselves stop converging at 1/sqrt(3)
    assert region["la"].contains(lr=1, alpha=sympy.Rational(49, 100))
    assert not region["la"].contains(lr=1, alpha=sympy.Rational(51, 100))


def test_slow_motion_without_memory_is_the_modified_flow():
    for rule in (gd.rules.AlternatingGD((0.1, 0.03), repeats=(2, 1)), gd.rules.Extragradient(0.1)):
        slow = gd.high_resolution(GENERAL, rule).slow
        modified = gd.modified_flow(GENERAL, rule, order=1)
        assert all(not any((slow[i] - modified.expression(i)).expand()) for i in (0, 1))


def test_the_field_goes_into_flow():
    equation = gd.high_resolution(BILINEAR, gd.rules.OptimisticGD(0.2))
    start = np.array([1.0, 0.0])
    own = equation.flow(start, 2.0)
    z = np.concatenate([start, equation.slow_velocity(start, 0.2)])
    again = gd.flow(equation.space(), z, 2.0, field=equation.at(0.2))
    np.testing.assert_allclose(own.w, again.w[..., :2], rtol=1e-9)
    np.testing.assert_allclose(own.info["velocity"], again.w[..., 2:], rtol=1e-9)
    assert np.linalg.norm(own.w[-1]) < 1
    assert "beta" in str(equation.in_beta)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (gd.rules.HeavyBall(0.1, 0.5 + 0.4j), "not determined by two"),
        (gd.rules.Lookahead(gd.rules.OptimisticGD(0.1), 2, 0.5), "not determined by two"),
        (gd.rules.HeavyBall(0.1, -1), "no second derivative"),
        (gd.rules.Averaging(GDA), "step count"),
    ],
    ids=repr,
)
def test_what_two_points_do_not_determine_is_refused(rule, why):
    with pytest.raises(gd.GandynError, match=why):
        gd.high_resolution(GENERAL, rule)
