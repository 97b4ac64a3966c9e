"""Local linear theory: the derivative of the flow or of a rule's augmented map, and what its spectrum decides."""

from __future__ import annotations

import dataclasses

from ...arguments import given_or_known
from ...budget import Budget, in_time
from ...doors import ensemble_door
from ...symbolic.members import members_in
from ...types import Game, Rng, Rule, State
from ...worlds import SYMBOLS
from .derivatives import linearize_symbols
from .ensemble import linearize_ensemble
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
    at = given_or_known(game, at)
    if mean is not None and (SYMBOLS in mean.worlds or mean.symbolic):
        found = linearize_symbols(mean, rule, at, state)
        note = "" if mean is game else f"of the mean game, {mean.name}: the noise of the batches is not in it"
    else:
        from .torch_linearization import linearize_torch

        found = linearize_torch(game, rule, at, state, rng)
        note = "" if game.deterministic else f"of one batch, drawn with seed {rng if isinstance(rng, int) else 0}"
    return dataclasses.replace(found, note=note) if note else found
