"""Local linear theory: the derivative of the flow or of a rule's augmented map, and what its spectrum decides."""

from __future__ import annotations

import dataclasses

import numpy as np

from ...budget import Budget, in_time
from ...doors import ensemble_door
from ...errors import ParameterError
from ...oracles.product_check import derivative_error
from ...symbolic.members import members_in
from ...types import Array, Game, Rng, Rule, State
from ...worlds import SYMBOLS
from .derivatives import linearize_symbols, on_known_face, refuse_ensemble
from .ensemble import linearize_ensemble
from .implicit import implicit_jacobian_torch, is_implicit
from .lengths import SOLVED, own_length
from .linearization import Linearization
from .verdicts import Verdict

__all__ = ["Linearization", "Verdict", "linearize"]


@ensemble_door
@in_time
def linearize(
    game: Game,
    rule: Rule | None = None,
    at: object = None,
    state: State | None = None,
    rng: Rng = 0,
    budget: float | Budget | None = 120.0,
) -> Linearization:
    """Linearise the gradient flow (rule=None) or a rule's update map at a point.

    For the flow dw/dt = -v(w) the matrix is -J(w). For a rule it is the derivative of z -> z+ on the augmented state
    z = (w, state arrays), so that rules with memory show their true spectral radius; step counters are taken at
    infinity. Symbolic games are linearised exactly, torch games by automatic differentiation.

    In a constrained game only feasible directions count: at a solution whose active bounds press, the matrix is that of
    the dynamics on the face of the point, T^T (-J) T with T a basis of its tangent space (see `Linearization`). A
    stochastic game whose mean is known is linearised in the mean; of another, one batch is, and the result says so.

    Where parameters of rule or game are arrays of one value per member, the answer is a `LinearizedEnsemble`: matrices
    and eigenvalues of all members at once, in floating point.

    Args:
        game: the game.
        rule: an update rule, or None for the flow.
        at: the point, shape (d,); the game's first known equilibrium by default. Numbers are read as decimals.
        state: the rule's state; by default the one it starts from at the point.
        rng: seed of the batch of a stochastic game, the same in every evaluation.
        budget: seconds, after which it ends undecided, without half an answer.

    Returns:
        A `Linearization`: `.matrix`, `.eigenvalues`, `.spectral_radius` or `.spectral_abscissa`, `.rate`, and the
        `.verdict` with its `.reason`; in exact numbers in `.exact`.

    Raises:
        OutOfTimeError: when the budget is spent.
        ParameterError: without a point, for a game with no known equilibrium.
        DomainError: if the game lies outside the rule's domain.

    Example:
        >>> import gandyn as gd
        >>> gd.linearize(gd.games.bilinear(), gd.rules.GDA(0.2)).exact.spectral_radius
        sqrt(26)/5
    """
    if rule is not None:
        rule.check(game)
    if members_in(game, rule):
        return linearize_ensemble(game, rule, at)  # type: ignore[return-value]  # only where arrays were given
    mean = game.mean()
    if at is None:
        if not game.equilibria:
            raise ParameterError(
                f"no point to linearise {game.name} at", "a point", "at=gd.fixed_points(game)[0].point"
            )
        at = game.equilibria[0]
    if mean is not None and (SYMBOLS in mean.worlds or mean.symbolic):
        found = linearize_symbols(mean, rule, at, state)
        note = "" if mean is game else f"of the mean game, {mean.name}: the noise of the batches is not in it"
    else:
        found = _linearize_torch(game, rule, at, state, rng)
        note = "" if game.deterministic else f"of one batch, drawn with seed {rng if isinstance(rng, int) else 0}"
    return dataclasses.replace(found, note=note) if note else found


def _linearize_torch(game: Game, rule: Rule | None, at: object, state: State | None, rng: Rng) -> Linearization:
    import torch

    refuse_ensemble(game, at)
    w = at if isinstance(at, torch.Tensor) else torch.tensor(np.asarray(at, dtype=float), device="cpu")
    game.check(w)
    seed = rng if isinstance(rng, (int, np.integer)) else 0
    if rule is None:
        z = w

        def move(x: Array) -> Array:
            return -game.field(x, game.draw(np.random.default_rng(seed)))
    else:
        start = rule.init(game, w, np.random.default_rng(seed)) if state is None else state
        sizes = [w.shape[-1], *(array.shape[-1] for _, array in start.leaves())]
        z = torch.cat([w, *(array for _, array in start.leaves())])
        counters = [count for _, count in start.counter_leaves()]

        def move(x: Array) -> Array:
            point, *arrays = x.split(sizes)
            inner = start.replace_leaves(iter(arrays), iter(counters))
            w_next, after, _ = rule.step(game, point, inner, np.random.default_rng(seed))
            return torch.cat([w_next, *(array for _, array in after.leaves())])

    if rule is not None and is_implicit(game, rule):
        moved, matrix = implicit_jacobian_torch(game, rule, w, seed)
    else:
        matrix = torch.autograd.functional.jacobian(move, z.detach())  # type: ignore[no-untyped-call]
        moved = move(z.detach()).detach()
    value = (moved if rule is None else moved - z).detach().cpu().numpy().astype(float)
    names = tuple(f"z{k + 1}" for k in range(z.shape[-1]))
    finite = bool(torch.isfinite(matrix).all())
    obstacle = "" if finite else f"the map of {rule!r} on {game.name} has no finite derivative at this point"
    found = Linearization(
        game,
        rule,
        tuple(w.detach().cpu().tolist()),
        names,
        float(np.linalg.norm(value)),
        matrix.cpu().numpy(),
        None,
        obstacle,
    )
    if not finite:
        return found
    batch, generator = game.draw(np.random.default_rng(seed)), np.random.default_rng(seed)
    u = torch.as_tensor(generator.standard_normal(z.shape), device="cpu").to(z)
    along = u[..., : w.shape[-1]]
    length = own_length(lambda shift: game.jvp(w.detach() + shift, along, batch).detach().cpu().numpy())
    if not game.constrained and (rule is None or not is_implicit(game, rule)):  # there, steps have kinks of their own
        base = 0 if rule is None else 1  # of a map, the difference from the identity
        error = derivative_error(
            lambda x: move(x).detach() - base * x,
            length * (matrix @ u - base * u),
            z.detach(),
            length * u,
            base * float(z.norm()),
        )
        found = dataclasses.replace(found, product_error=error)
    known = np.abs(z.detach().cpu().numpy())
    known[: w.shape[-1]] = np.maximum(length, known[: w.shape[-1]])
    found = _judged(found, value, known, 500 * float(torch.finfo(w.dtype).eps))
    return on_known_face(found, w, batch, length) if game.constrained else found


def _judged(lin: Linearization, value: Array, known: Array, rounding: float) -> Linearization:
    """With -J or DF - 1, and whether F(z) - z vanishes as far as the digits of z tell.

    Args:
        known: |z|, or the game's own length where a coordinate of w is nearer 0.
    """
    change = lin.numeric if lin.rule is None else lin.numeric - np.eye(len(value))
    size = np.linalg.norm(change, 2)
    at_rest = bool((np.abs(value) <= max(SOLVED, rounding) * np.abs(change) @ known).all())
    if lin.rule is not None and size:
        rounding *= max(1.0, float(np.linalg.norm(lin.numeric, 2) / size))
    return dataclasses.replace(lin, change=change, rounding=rounding, equilibrium=at_rest, settled=at_rest)
