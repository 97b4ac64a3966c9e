"""Spectra of update maps: against dense LAPACK, against theory at an equilibrium, and mode by mode."""

import numpy as np
import pytest
import torch
from spectrum_cases import dense, top, trained

import gandyn as gd
from gandyn.analysis.spectrum.maps import increment_operator, mode_matrices, moves_modes, without_its_field
from gandyn.analysis.spectrum.operators import holding
from gandyn.analysis.spectrum.solve import Settings, ends
from gandyn.analysis.spectrum.targets import itself, targets_of
from gandyn.errors import DomainError


def adam_state(game, w, token):
    """Moments as they are after long training at w: the mean is v, the square v^2 plus a floor."""
    v = game.field(w, token)
    return gd.types.State({"mean": v, "square": v * v + 1e-4}, {"steps": 10**9})


MAPS = {
    "GDA": (gd.rules.GDA(0.02), True),
    "OGDA": (gd.rules.OptimisticGD(0.02), True),
    "heavy ball": (gd.rules.HeavyBall(0.02, -0.3), True),
    "GDA, two steps": (gd.rules.GDA((0.02, 0.01)), False),
    "extragradient": (gd.rules.Extragradient(0.02), False),
    "past extragradient": (gd.rules.PastExtragradient(0.02), False),
    "Runge-Kutta": (gd.rules.RungeKutta(0.02), False),
    "consensus": (gd.rules.Consensus(0.02, 0.1), False),
    "alternating": (gd.rules.AlternatingGD(0.02), False),
    "Adam": (gd.rules.Adam(0.001), False),
}


@pytest.mark.parametrize("name", MAPS)
def test_maps_of_rules_are_those_of_lapack(name):
    """On the augmented state, against the dense derivative of the same step; every rule on the same held batch."""
    rule, by_modes = MAPS[name]
    game, w, token = trained(hidden=(6, 6), steps=200)
    view = holding(game, token)
    state = adam_state(game, w, token) if name == "Adam" else None
    matrix = gd.linearize(view, rule, at=w, state=state).matrix
    values = np.linalg.eigvals(matrix)
    found = gd.spectrum(game, w, 2, "LM", rule=rule, state=state, batch=token)
    assert found.converged
    assert moves_modes(rule, anywhere=True) == by_modes
    expected = np.sort(abs(values))[::-1][:2]
    np.testing.assert_allclose(abs(found.eigenvalues), expected, atol=1e-11)
    assert found.excess == pytest.approx(expected[0] - 1, rel=1e-7)
    assert found.spectral_radius == 1 + found.excess
    vectors = found.vectors.numpy()
    assert vectors.shape == (len(matrix), 2)
    assert np.linalg.norm(matrix @ vectors - vectors * found.eigenvalues, axis=0).max() < 1e-6


@pytest.mark.parametrize("name", ["extragradient", "Runge-Kutta", "past extragradient", "consensus", "alternating"])
def test_as_an_equilibrium_the_map_is_what_theory_says(name):
    """With v(w) taken off: polynomials of J for linear rules, I - lr (J + gamma J^T J), a product of two halves."""
    rule = MAPS[name][0]
    game, w, token = trained(hidden=(6, 6), steps=200)
    j, one = dense(hidden=(6, 6), steps=200), np.eye(trained(hidden=(6, 6), steps=200)[0].dim)
    z, lr = np.linalg.eigvals(j), 0.02
    halves = [one.copy(), one.copy()]
    for half, block in zip(halves, game.slices, strict=True):
        half[block] -= lr * j[block]
    expected = {
        "extragradient": 1 - lr * z + lr**2 * z**2,
        "Runge-Kutta": 1 - lr * z + (lr * z) ** 2 / 2 - (lr * z) ** 3 / 6 + (lr * z) ** 4 / 24,
        "past extragradient": np.concatenate([np.roots([1, lr * x - 1 + lr * x, -lr * x]) for x in z]),
        "consensus": np.linalg.eigvals(one - lr * (j + 0.1 * j.T @ j)),
        "alternating": np.linalg.eigvals(halves[1] @ halves[0]),
    }[name]
    found = gd.spectrum(game, w, 2, ("LM", "LI"), rule=rule, batch=token, as_equilibrium=True)
    assert found["LM"].converged
    np.testing.assert_allclose(abs(found["LM"].eigenvalues), np.sort(abs(expected))[::-1][:2], atol=1e-11)
    np.testing.assert_allclose(found["LI"].eigenvalues.imag, top(expected, "LI", 2), rtol=1e-7)


def test_modes_agree_with_products_of_the_map():
    """The two routes to one map: Ritz values of J read by the rule, and the step differentiated automatically."""
    game, w, token = trained(hidden=(6, 6))
    for rule in (gd.rules.GDA(0.1), gd.rules.OptimisticGD(0.1), gd.rules.HeavyBall(0.1, 0.5)):
        operator = increment_operator(game, rule, w, None, token, limit=True)
        settings = Settings.of(operator, None, 600, 2**31, False, 0)
        direct = ends(operator, targets_of("LM", True), 2, settings, itself)[0]["LM"]
        read = gd.spectrum(game, w, 2, "LM", rule=rule, batch=token).ends["LM"]
        np.testing.assert_allclose(abs(1 + direct.values), abs(1 + read.values), atol=1e-12)


@pytest.mark.parametrize("entry", [e for e in gd.rules.registry], ids=lambda e: e.name)
def test_every_linear_rule_moves_modes_as_its_exact_map_does(entry):
    """M(z) against the exact linearisation on the quadratic game with eigenvalue z, for every rule that claims it."""
    for rule in entry.build.examples():
        if not moves_modes(rule, anywhere=False):
            continue
        matrix = mode_matrices(rule, [0.7 + 1.3j])[0] + np.eye(len(mode_matrices(rule, [0.7 + 1.3j])[0]))
        mine = np.linalg.eigvals(matrix)
        exact = gd.linearize(gd.games.quadratic(0.7, 1.3, 0.7), rule, at=(0, 0)).eigenvalues
        both = np.concatenate([mine, mine.conj()])
        assert len(both) == len(exact)
        assert all(abs(both - x).min() < 1e-6 for x in exact)
        assert abs(both).max() == pytest.approx(abs(exact).max(), abs=1e-9)


def test_the_game_without_its_field_has_the_same_jacobian_and_no_field():
    for which in ({"steps": 100, "loss": "wasserstein", "seed": 2}, {"hidden": (6, 6)}):
        game, w, token = trained(**which)
        still = without_its_field(game, w, token)
        assert float(still.field(w, token).norm()) < 1e-13
        moved = w + 0.1
        expected = game.field(moved, token) - game.field(w, token)
        torch.testing.assert_close(still.field(moved, token), expected, rtol=1e-10, atol=1e-13)
        for i in range(2):
            torch.testing.assert_close(
                still.field(moved, token, only=i), game_only(expected, game, i), rtol=1e-10, atol=1e-13
            )
        u = torch.ones_like(w)
        torch.testing.assert_close(still.jvp(moved, u, token), game.jvp(moved, u, token), rtol=1e-10, atol=1e-13)
    with pytest.raises(DomainError, match="networks"):
        without_its_field(gd.games.bilinear(), np.zeros(2), None)


def game_only(v, game, i):
    own = torch.zeros_like(v)
    own[game.slices[i]] = v[game.slices[i]]
    return own
