"""Spectra of networks: ends of J, S, A, Hessians and update maps against dense LAPACK, and answers that are refused."""

import copy
import functools
import json

import numpy as np
import pytest
import torch
from torch import nn

import gandyn as gd
from gandyn.analysis.spectrum import Resolution
from gandyn.analysis.spectrum.krylov import Krylov
from gandyn.analysis.spectrum.maps import increment_operator, mode_matrices, moves_modes, tilted
from gandyn.analysis.spectrum.operators import Operator, holding
from gandyn.analysis.spectrum.solve import Settings, ends
from gandyn.analysis.spectrum.targets import itself, targets_of
from gandyn.errors import DomainError, ParameterError, ShapeError, UnknownNameError

ENDS = ("LM", "LR", "SR", "LI")
MEASURES = {"LM": np.abs, "LR": np.real, "SR": lambda z: -z.real, "LI": np.imag}


@functools.cache
def trained(hidden=(8, 8), steps=0, loss="nonsaturating", penalty=None, seed=0):
    """(game, point, token): a ring GAN in double precision, after `steps` of alternating Adam."""
    pair = [network.double() for network in gd.gans.mlp_pair(hidden=hidden, seed=seed)]
    game = gd.gans.GANGame(*pair, loss, penalty, data=gd.gans.ring(), batch_size=32, latent=2)
    w = game.w0.clone()
    if steps:
        rule = gd.rules.Alternating(gd.rules.Adam(2e-3, betas=(0, 0.99)))
        w = gd.iterate(game, rule, w, steps, record="last").w
    return game, w, game.draw(np.random.default_rng(0))


@functools.cache
def dense(**which):
    game, w, token = trained(**which)
    return game.jacobian(w, token).numpy()


def top(values, name, k):
    return np.sort(MEASURES[name](values))[::-1][:k]


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


# --- maps ------------------------------------------------------------------------------------------------------------


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


def test_the_tilted_game_has_the_same_jacobian_and_no_field():
    for which in ({"steps": 100, "loss": "wasserstein", "seed": 2}, {"hidden": (6, 6)}):
        game, w, token = trained(**which)
        still = tilted(game, w, token)
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
        tilted(gd.games.bilinear(), np.zeros(2), None)


def game_only(v, game, i):
    own = torch.zeros_like(v)
    own[game.slices[i]] = v[game.slices[i]]
    return own


# --- planted spectra -------------------------------------------------------------------------------------------------


def planted(blocks, seed=0):
    """A linear torch game of two players whose J is made of the 2 x 2 blocks [[a, b], [c, d]], mixed by rotations."""
    rng = np.random.default_rng(seed)
    n = len(blocks)
    u, v = (torch.tensor(np.linalg.qr(rng.normal(size=(n, n)))[0]) for _ in range(2))
    a, b, c, d = (torch.diag(torch.tensor(column)) for column in np.array(blocks, dtype=float).T)
    p, q, r, s = u @ a @ u.T, u @ b @ v.T, v @ c @ u.T, v @ d @ v.T

    def costs(x, y):
        first = (x @ p * x).sum(-1) / 2 + (y @ q.T * x).sum(-1)
        return first, (y @ s * y).sum(-1) / 2 + (x @ r.T * y).sum(-1)

    return gd.games.from_torch(costs, {"x": n, "y": n})


PLANTED = {
    "clustered edges": lambda k: [2 - 1e-3 * k, 3.0, -3.0, 2 - 1e-3 * k] if k < 4 else [0.01 * k, 1.0, -1.0, 0.01 * k],
    "non-normal": lambda k: [0.02 * k - 0.3, 50.0, -0.002 * (k + 1), 0.02 * k - 0.3],
    "small real parts": lambda k: [1e-3 * (1 + k % 7), 1 + 0.1 * k, -1 - 0.1 * k, 1e-3 * (1 + k % 7)],
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_spectra_are_recovered(name):
    blocks = [PLANTED[name](k) for k in range(60)]
    values = np.concatenate([np.linalg.eigvals(np.reshape(block, (2, 2))) for block in blocks])
    game = planted(blocks)
    found = gd.spectrum(game, np.zeros(120), 2, ENDS)
    for end in ENDS:
        assert found[end].converged, end
        np.testing.assert_allclose(MEASURES[end](found[end].eigenvalues), top(values, end, 2), rtol=1e-5, err_msg=end)


def test_an_imaginary_part_of_zero_and_a_spent_budget_are_unresolved():
    rng = np.random.default_rng(0)
    potential = planted([[x, 0.3, 0.3, x] for x in rng.uniform(-1, 2, 80)])
    found = gd.spectrum(potential, np.zeros(160), 1, ("LR", "LI"))
    assert found["LR"].converged
    assert found.resolution["LI"] is Resolution.UNRESOLVED
    assert not found.converged
    assert "unresolved" in found.summary()
    two = planted(
        [[1 + 0.01 * x, 1.0 + x, -1.0 - x, 1 + 0.01 * x] if x < 2 else [0.01 * x, 0, 0, 0.1] for x in range(60)]
    )
    some = gd.spectrum(two, np.zeros(120), 3, "LI")
    assert some.resolved.tolist() == [True, True, False]  # there are two pairs, and no third
    np.testing.assert_allclose(some.eigenvalues[:2].imag, [2, 1], rtol=1e-8)
    assert not some.converged
    small = gd.spectrum(gd.games.quadratic(1, 0, 2), [0.0, 0.0], which="LI")
    assert not small.converged  # even where everything was spanned
    game, w, token = trained(hidden=(16, 16), steps=50)
    short = gd.spectrum(game, w, 4, ENDS, batch=token, most=30, tolerance=1e-15)
    assert not short.converged
    assert short.residuals.shape == (16,)
    assert np.isfinite(short.residuals).all()


def test_a_second_start_that_sees_more_is_not_overruled():
    """A start without any component along the extreme eigenvector: residuals alone would be believed."""
    values = np.linspace(-1, 1, 200)
    values[-1] = 5.0
    matrix = torch.diag(torch.tensor(values))
    blind = torch.ones(200, dtype=torch.float64)
    blind[-1] = 0
    operator = Operator("diagonal", lambda u: matrix @ u, blind)
    krylov = Krylov(operator, 0)
    krylov._store(0, blind / blind.norm())
    krylov.extend(60)
    seen = krylov.ritz()
    k = seen.values.real.argmax()
    assert seen.values[k].real == pytest.approx(1, abs=0.1)
    settings = Settings.of(operator, None, 400, 2**31, True, 3)
    found = ends(operator, targets_of("LR", False), 1, settings, itself)[0]["LR"]
    assert found.values[0].real == pytest.approx(5)
    assert found.resolution is Resolution.CONFIRMED


# --- the Krylov space ------------------------------------------------------------------------------------------------


def matrix_operator(matrix, kind="general"):
    return Operator("matrix", lambda u: matrix @ u, torch.zeros(len(matrix), dtype=matrix.dtype), kind)


def test_the_krylov_relation_holds_before_and_after_a_restart():
    """A V = V_{m+1} H with orthonormal V, to rounding; wanted Ritz values survive, conjugates with them."""
    rng = np.random.default_rng(0)
    matrix = torch.tensor(rng.normal(size=(300, 300)))
    krylov = Krylov(matrix_operator(matrix), 0)

    def check():
        m = krylov.size
        basis = torch.cat([block for _, block in krylov._used(m + 1)])
        torch.testing.assert_close(basis @ basis.T, torch.eye(m + 1, dtype=torch.float64), rtol=0, atol=1e-12)
        torch.testing.assert_close(matrix @ basis[:m].T, basis.T @ torch.tensor(krylov.hessenberg), rtol=0, atol=1e-11)

    krylov.extend(100)
    check()
    values = np.linalg.eigvals(krylov.hessenberg[:100])
    cut = np.sort(values.real)[-30]
    krylov.restart(lambda z: z.real >= cut, 50)
    assert krylov.size in (30, 31)
    check()
    kept = np.linalg.eigvals(krylov.hessenberg[: krylov.size])
    assert all(abs(kept - z).min() < 1e-9 for z in values[values.real >= cut])
    krylov.extend(90)
    check()


def test_restarts_find_the_same_ends_in_less_memory():
    game, w, token = trained(hidden=(16, 16), steps=200)
    free = gd.spectrum(game, w, 2, ENDS, batch=token, confirm=False, tolerance=1e-10)
    tight = gd.spectrum(game, w, 2, ENDS, batch=token, memory=1, most=2000, tolerance=1e-10)
    assert tight.converged
    assert tight.space <= 100 < tight.products
    np.testing.assert_allclose(abs(tight.eigenvalues), abs(free.eigenvalues), rtol=1e-8)


def test_invariant_spaces_are_continued_to_every_copy():
    """diag(3, 3, 1, 1, ...): one start sees each eigenvalue once; both copies of 3 are found."""
    matrix = torch.diag(torch.tensor([3.0, 3.0] + [1.0] * 118, dtype=torch.float64))
    operator = matrix_operator(matrix, "symmetric")
    found = ends(operator, targets_of("LR", False), 2, Settings.of(operator, None, 300, 2**31, True, 0), itself)[0][
        "LR"
    ]
    np.testing.assert_allclose(found.values, [3, 3])
    assert found.resolution is not Resolution.UNRESOLVED


def test_single_precision_is_held_to_what_it_can_do():
    pair = gd.gans.mlp_pair(hidden=(8, 8))
    game = gd.gans.GANGame(*pair, "nonsaturating", data=gd.gans.ring(), batch_size=32, latent=2)
    token = game.draw(np.random.default_rng(0))
    found = gd.spectrum(game, game.w0, 1, ("LM", "SR"), batch=token)
    values = np.linalg.eigvals(game.jacobian(game.w0, token).double().numpy())
    assert found.converged
    assert abs(found["LM"].eigenvalues[0]) == pytest.approx(abs(values).max(), rel=1e-4)
    assert found["SR"].eigenvalues[0].real == pytest.approx(values.real.min(), rel=1e-3)


# --- batches, batch norm, mistakes -----------------------------------------------------------------------------------


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
        with pytest.raises(ParameterError, match="whole number from 1"):
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
