"""Arnoldi on planted spectra: clusters, copies, restarts, spent budgets, and ends that one start does not see."""

import numpy as np
import pytest
import torch
from spectrum_cases import ENDS, MEASURES, top, trained

import gandyn as gd
from gandyn.analysis.spectrum import Resolution
from gandyn.analysis.spectrum.operators import Operator
from gandyn.analysis.spectrum.solve import Settings, ends
from gandyn.analysis.spectrum.targets import itself, targets_of
from gandyn.krylov.arnoldi import Krylov
from gandyn.krylov.solvers import conjugate_gradients
from gandyn.types import Game, Player


def test_conjugate_gradients_end_at_a_small_residual_unless_told_otherwise():
    sizes = np.array([1.0, 10.0, 100.0, 1000.0])
    x, report = conjugate_gradients(lambda v: sizes * v, np.ones(4))
    np.testing.assert_allclose(x, 1 / sizes, rtol=1e-9)
    assert report["iterations"] == 4


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


class Chain(Game):
    """v(w) = J w, J with 1 on the diagonal and 2 above it: one eigenvalue, 1, in a Jordan block of the full size."""

    name = "chain"
    players = (Player("x", 60), Player("y", 60))
    worlds = frozenset({"torch"})
    matrix = torch.eye(120, dtype=torch.float64) + 2 * torch.diag(torch.ones(119, dtype=torch.float64), 1)

    def _field(self, w, batch, only):
        return w @ self.matrix.T

    def _jvp(self, w, u, batch):
        return u @ self.matrix.T

    def _vjp(self, w, u, batch):
        return u @ self.matrix

    def _costs(self, w, batch):
        raise NotImplementedError


def test_a_small_residual_is_no_eigenvalue_far_from_normal_matrices():
    """Ritz values near 2.6 have residuals of 1e-14, in a space that is everything: all of them are rounding errors."""
    found = gd.spectrum(Chain(), torch.zeros(120, dtype=torch.float64), 1, ("LM", "LR"))
    assert abs(found["LM"].eigenvalues[0]) > 2
    assert found.residuals.max() < 1e-12
    assert not found.resolved.any()
    assert not found.converged
