"""Spectra of networks against dense LAPACK: the ends of J, of its parts, of own Hessians and of update maps."""

import copy
import json

import numpy as np
import pytest
import torch
from spectrum_cases import ENDS, MEASURES, dense, top, trained
from torch import nn

import gandyn as gd
from gandyn.analysis.spectrum import Resolution
from gandyn.errors import DomainError, ParameterError, ShapeError, UnknownNameError

NETWORKS = {
    "untrained": {},
    "trained": {"steps": 400},
    "trained minimax with R1": {"steps": 300, "loss": "minimax", "penalty": "R1(0.1)", "seed": 1},
    "zero-sum": {"steps": 100, "loss": "wasserstein", "seed": 2},
}


@pytest.fixture(params=NETWORKS.values(), ids=NETWORKS)
def network(request):
    return request.param


def test_ends_of_the_jacobian_are_those_of_lapack(network):
    game, w, token = trained(**network)
    matrix = dense(**network)
    values = np.linalg.eigvals(matrix)
    before = game.counts * 1
    found = gd.spectrum(game, w, 3, ENDS, batch=token)
    spent = game.counts - before
    assert found.converged
    assert found.products == spent.jvps + spent.vjps
    for name in ENDS:
        one = found[name]
        assert one.resolution == {name: Resolution.CONFIRMED}
        np.testing.assert_allclose(MEASURES[name](one.eigenvalues), top(values, name, 3), rtol=1e-8)
        vectors = one.vectors.numpy()
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=0), 1)
        errors = np.linalg.norm(matrix @ vectors - vectors * one.eigenvalues, axis=0)
        np.testing.assert_allclose(errors, one.residuals, atol=1e-11)
        assert (errors <= 1e-5 * MEASURES[name](one.eigenvalues).__abs__()).all()


def test_parts_and_own_hessians_are_those_of_lapack(network):
    game, w, token = trained(**network)
    matrix = dense(**network)
    symmetric, skew = (matrix + matrix.T) / 2, (matrix - matrix.T) / 2
    for of, part in [
        ("S", symmetric),
        *((p.name, matrix[b, b]) for p, b in zip(game.players, game.slices, strict=True)),
    ]:
        values = np.linalg.eigvalsh(part)
        found = gd.spectrum(game, w, 2, ("LR", "SR"), of=of, batch=token)
        assert not found.eigenvalues.imag.any()
        for name in ("LR", "SR"):
            if found[name].converged:
                expected = values[::-1][:2] if name == "LR" else values[:2]
                np.testing.assert_allclose(found[name].eigenvalues.real, expected, rtol=1e-7)
            else:  # a convex player's smallest eigenvalues are zeros: dead units and symmetries
                assert abs(values[1 if name == "SR" else -2]) < 1e-6 * abs(values).max()
    found = gd.spectrum(game, w, 2, "LI", of="A", batch=token)
    assert found.converged
    assert not found.eigenvalues.real.any()
    np.testing.assert_allclose(found.eigenvalues.imag, top(np.linalg.eigvals(skew), "LI", 2), rtol=1e-8)


def test_bounds_are_outer_and_those_of_the_parts(network):
    game, w, token = trained(**network)
    matrix = dense(**network)
    values = np.linalg.eigvals(matrix)
    bounds = gd.spectrum(game, w, 1, ENDS, batch=token, bounds=True, confirm=False).bounds
    symmetric = np.linalg.eigvalsh((matrix + matrix.T) / 2)
    turn = np.linalg.norm((matrix - matrix.T) / 2, 2)
    assert bounds["SR"] <= values.real.min()
    assert bounds["LR"] >= values.real.max()
    assert bounds["LI"] >= values.imag.max()
    assert bounds["LM"] >= abs(values).max()
    expected = [symmetric[-1], symmetric[0], turn, np.hypot(abs(symmetric).max(), turn)]
    np.testing.assert_allclose(
        [bounds[n] for n in ("LR", "SR", "LI", "LM")], expected, atol=2e-3 * abs(symmetric).max()
    )


def test_single_precision_is_held_to_what_it_can_do():
    pair = gd.gans.mlp_pair(hidden=(8, 8))
    game = gd.gans.GANGame(*pair, "nonsaturating", data=gd.gans.ring(), batch_size=32, latent=2)
    token = game.draw(np.random.default_rng(0))
    found = gd.spectrum(game, game.w0, 1, ("LM", "SR"), batch=token)
    values = np.linalg.eigvals(game.jacobian(game.w0, token).double().numpy())
    assert found.converged
    assert abs(found["LM"].eigenvalues[0]) == pytest.approx(abs(values).max(), rel=1e-4)
    assert found["SR"].eigenvalues[0].real == pytest.approx(values.real.min(), rel=1e-3)


@pytest.mark.slow
def test_error_bars_over_batches_and_big_batches():
    game, w, _ = trained(hidden=(6, 6), steps=200)
    found = gd.spectrum(game, w, 2, ("LM", "SR"), batches=4, seed=5)
    rng = np.random.default_rng(5)
    tokens = [game.draw(rng) for _ in range(4)]
    dense_values = [np.linalg.eigvals(game.jacobian(w, t).numpy()) for t in tokens]
    expected = np.array([top(v, "LM", 2) for v in dense_values])
    np.testing.assert_allclose(found.mean("LM"), expected.mean(0), rtol=1e-8)
    np.testing.assert_allclose(found.standard_error("LM"), expected.std(0, ddof=1) / 2, rtol=1e-6)
    np.testing.assert_allclose(found.mean("SR"), -np.mean([top(v, "SR", 2) for v in dense_values], 0), rtol=1e-7)
    assert "+-" in found.summary()
    big = gd.spectrum(game, w, 1, "LM", batch_size=96, seed=5, confirm=False)
    assert "batch of 96" in big.conditions
    assert game.size == 32
    again = gd.spectrum(game, w, 2, ("LM", "SR"), batches=tokens)
    np.testing.assert_allclose(again.mean("LM"), found.mean("LM"), rtol=1e-12)


def test_batch_norm_is_differentiated_or_frozen_and_left_alone():
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(2, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 2)).double()
    discriminator = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1)).double()
    game = gd.gans.GANGame(generator, discriminator, data=gd.gans.ring(), batch_size=16, latent=2)
    token = game.draw(np.random.default_rng(0))
    before = copy.deepcopy(generator.state_dict())
    trained_like = gd.spectrum(game, game.w0, 1, "LM", batch=token)
    frozen = gd.spectrum(game, game.w0, 1, "LM", batch=token, statistics="running")
    assert all(torch.equal(before[name], value) for name, value in generator.state_dict().items())
    assert generator[1].training
    dense_values = np.linalg.eigvals(game.jacobian(game.w0, token).numpy())
    assert abs(trained_like.eigenvalues[0]) == pytest.approx(abs(dense_values).max(), rel=1e-8)
    generator[1].eval()
    w = game.w0.clone()
    assert abs(frozen.eigenvalues[0]) == pytest.approx(
        abs(np.linalg.eigvals(game.jacobian(w, token).numpy())).max(), rel=1e-8
    )
    assert abs(frozen.eigenvalues[0] - trained_like.eigenvalues[0]) > 1e-3
    assert "batch statistics" in frozen.conditions


def test_results_as_data_and_pictures(tmp_path):
    game, w, token = trained(hidden=(6, 6))
    found = gd.spectrum(game, w, 2, ENDS, batch=token, bounds=True)
    data = json.loads(json.dumps(found.to_dict()))
    assert data["ends"]["LM"]["resolution"] in ("CONFIRMED", "COMPLETE")
    assert data["parameters"] == game.dim
    assert data["ends"]["LI"]["eigenvalues"][0]["im"] == pytest.approx(found["LI"].eigenvalues[0].imag)
    figure = gd.plots.network_spectrum({"start": found, "again": found})
    np.testing.assert_array_equal(figure.data["start"]["eigenvalues"], found.eigenvalues)
    assert figure.save(tmp_path / "spectrum.png").stat().st_size > 5000
    map_found = gd.spectrum(game, w, rule=gd.rules.GDA(0.1), batch=token)
    outline = map_found.plot().data["map"]["ritz"]
    assert abs(outline - map_found.eigenvalues[0]).min() < 1e-9
    with pytest.raises(DomainError, match="one kind"):
        gd.plots.network_spectrum([found, map_found])


def test_mistakes_are_named():
    game, w, token = trained(hidden=(6, 6))
    with pytest.raises(UnknownNameError, match="one of LI, LM, LR, SR"):
        gd.spectrum(game, w, which="RL")
    with pytest.raises(UnknownNameError, match="player"):
        gd.spectrum(game, w, of="B")
    with pytest.raises(UnknownNameError, match="batch statistics"):
        gd.spectrum(game, w, statistics="frozen")
    for k in (0, game.dim + 1, 1.5, True):
        with pytest.raises(ParameterError, match=r"whole number (>= 1|from 1 to 141)"):
            gd.spectrum(game, w, k)
    with pytest.raises(ParameterError, match="batches=0"):
        gd.spectrum(game, w, batches=0)
    with pytest.raises(ShapeError, match="ensemble"):
        gd.spectrum(game, torch.stack([w, w]))
    with pytest.raises(DomainError, match="state"):
        gd.spectrum(game, w, rule=gd.rules.Adam(0.001), batch=token)
    with pytest.raises(DomainError, match="as_equilibrium"):
        gd.spectrum(game, w, rule=gd.rules.ProximalPoint(0.01), batch=token)
    with pytest.raises(UnknownNameError, match="end of this spectrum"):
        gd.spectrum(gd.games.bilinear(), [0.0, 0.0])["LR"]


@pytest.mark.slow
@pytest.mark.parametrize("steps", [0, 1500])
def test_a_larger_ring_gan_agrees_with_lapack(steps):
    which = {"hidden": (20, 20), "steps": steps, "seed": 3}
    game, w, token = trained(**which)
    values = np.linalg.eigvals(dense(**which))
    found = gd.spectrum(game, w, 4, ENDS, batch=token)
    assert found.converged
    for name in ENDS:
        np.testing.assert_allclose(MEASURES[name](found[name].eigenvalues), top(values, name, 4), rtol=1e-8)
    for rule, map_values in [
        (gd.rules.GDA(1e-3), 1 - 1e-3 * values),
        (gd.rules.Extragradient(1e-3), 1 - 1e-3 * values + 1e-6 * values**2),
    ]:
        excess = gd.spectrum(game, w, rule=rule, batch=token, as_equilibrium=True).excess
        assert excess == pytest.approx(abs(map_values).max() - 1, rel=1e-7)
