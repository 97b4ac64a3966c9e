"""Rules that change with the step count: an eigenvalue 1 of their limit decides nothing, in no world.

Averages, anchors and decaying steps converge where that limit stands still; runs are the second route.
"""

import numpy as np
import pytest
from typer.testing import CliRunner

import gandyn as gd
from gandyn.analysis.local.verdicts import Verdict
from gandyn.cli import app

R = gd.rules
BILINEAR, STRONG = gd.games.bilinear(), gd.games.quadratic(1, 1, 1)
FADING = [
    (BILINEAR, R.Averaging(R.AlternatingGD(0.2))),
    (STRONG, R.Averaging(R.GDA(0.2))),
    (BILINEAR, R.Anchored(0.2)),
    (STRONG, R.Halpern(R.GDA(0.2))),
    (STRONG, R.Scheduled(R.GDA(0.2))),
]


def on_torch(game):
    """The same cost a x^2/2 + b x y - a y^2/2 in torch."""
    a = float(game.jacobian_expr[0, 0])
    return gd.games.from_torch(lambda x, y: (a * (x**2 - y**2) / 2 + x * y).sum(-1), {"x": 1, "y": 1})


@pytest.mark.parametrize(("game", "rule"), FADING, ids=lambda x: getattr(x, "name", ""))
def test_runs_converge_and_no_verdict_says_otherwise(game, rule):
    assert np.linalg.norm(gd.iterate(game, rule, [1.0, 0.5], 5000, record="last").w) < 0.01
    lin = gd.linearize(game, rule)
    assert (lin.verdict, str(lin.nonlinear.verdict)) == (Verdict.MARGINAL, "undecided")
    assert "changes with the step count" in lin.reason
    torch_lin = gd.linearize(on_torch(game), rule, at=[0.0, 0.0])
    assert torch_lin.verdict is Verdict.UNDECIDED
    assert "changes with the step count" in torch_lin.reason
    np.testing.assert_allclose(np.sort_complex(torch_lin.eigenvalues), np.sort_complex(lin.eigenvalues), atol=1e-7)


@pytest.mark.parametrize(("game", "rule"), FADING, ids=lambda x: getattr(x, "name", ""))
@pytest.mark.parametrize("ask", ["stability_region", "stationary", "mean_square"])
def test_no_threshold_and_no_law_comes_from_such_a_limit(ask, game, rule):
    with pytest.raises(gd.GandynError, match="changes with the step count"):
        getattr(gd, ask)(game, rule, **({} if ask == "stability_region" else {"noise": 1.0}))


def test_such_a_limit_is_refused_on_a_face_too():
    with pytest.raises(gd.GandynError, match="changes with the step count"):
        gd.stationary(gd.games.matching_pennies(), R.Averaging(R.Extragradient(0.1)), noise=1e-4)


def test_limits_that_decide_are_used():
    """An exponential average has no count, and steps that decay to a fifth have a limit with eigenvalues inside."""
    rule = R.Averaging(R.GDA("lr"), "exponential")
    assert gd.stability_region(STRONG, rule).critical("lr") == 1  # that of the rule inside: |1 - lr (1 + i)| < 1
    settled = R.Scheduled(R.GDA(0.5), lambda t: (1 + t / 5) / (1 + t))
    for game, at in ((STRONG, None), (on_torch(STRONG), [0.0, 0.0])):
        lin = gd.linearize(game, settled, at=at)
        assert lin.verdict is Verdict.ATTRACTING
        np.testing.assert_allclose(lin.spectral_radius, abs(1 - 0.1 * (1 + 1j)), rtol=1e-12)


def test_the_page_sends_to_a_run():
    page = CliRunner().invoke(app, ["analyze", "bilinear", "--rule", "Averaging(AlternatingGD(0.2))"])
    text = " ".join(page.output.split())
    assert "run it, with gd.iterate" in text
    assert "no step of it attracts" not in text
    assert "neither grow nor fade" not in text
