"""The linearised update map of a rule, as an operator on increments or as a function of J's own eigenvalues.

An eigenvalue lambda of the map is computed as mu = lambda - 1: a spectral radius of 1.00002 is an excess of 2e-5, which
would have to be found beside 1 on the map itself. A shift leaves Krylov spaces as they are and changes the relative
tolerance.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DomainError, GandynError, ParameterError
from ...krylov.operator import GENERAL, Operator
from ...lazy import torch
from ...oracles.packing import flattened
from ...rules.schedule import late_count
from ...types import Array, Batch, Game, Player, Rule, State
from ...worlds import NUMPY
from ..local.implicit import is_implicit
from .operators import holding
from .targets import Reading

if TYPE_CHECKING:
    from torch import nn

TINY = 1e-30


class ScalarModes(Game):
    """The game v(w) = z w for complex numbers z, on which a rule shows what it makes of each eigenvalue z of J.

    Both of the two players have the same field, so that a rule that treats players alike keeps them equal. Arrays are
    complex, (len(z), members, 2). `points` records the points at which the field was evaluated.
    """

    name = "modes of the Jacobian"
    players = (Player("x", 1), Player("y", 1))
    worlds = frozenset({NUMPY})
    quadratic = True

    def __init__(self, eigenvalues: object) -> None:
        self.eigenvalues = np.asarray(eigenvalues, dtype=complex)[:, None, None]
        self.points: list[Array] = []

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        self.points.append(w)
        return self.eigenvalues * w

    def _jvp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self.eigenvalues * u

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        raise DomainError("the cost of a complex coordinate", "a field", "ask for the field")


def mode_matrices(rule: Rule, eigenvalues: object) -> Array:
    """M(z) - I for each eigenvalue z of J, (len(z), s+1, s+1), with M(z) the rule's augmented map on v(w) = z w.

    It describes a rule that combines points and fields linearly, with the same step for every player: such a rule moves
    each eigenvector of J independently of the others. The rule's state holds s vectors. GDA gives -lr z, extragradient
    -lr z + lr^2 z^2.
    """
    game = ScalarModes(eigenvalues)
    state = rule.init(game, np.zeros((len(game.eigenvalues), 1, 2), complex))
    width = 1 + sum(1 for _ in state.leaves())
    unit = np.broadcast_to(np.eye(width)[:, None, :, None], (width, len(game.eigenvalues), width, 2)).astype(complex)
    point, *arrays = unit

    def increments(t: float) -> Array:
        counters = (t for _ in state.counter_leaves())
        moved, after, _ = rule.step(game, point, state.replace_leaves(iter(arrays), counters))
        rows = [moved, *(array for _, array in after.leaves())]
        return np.stack([row[:, :, 0] for row in rows], axis=1) - np.eye(width)

    if not any(True for _ in state.counter_leaves()):
        return increments(0)
    with _settled(rule):
        return increments(late_count(increments))


@contextlib.contextmanager
def _settled(rule: Rule) -> Iterator[None]:
    """Word what goes wrong in a step whose counts are infinite.

    Raises:
        DomainError: for a step that has no limit, or whose step sizes end at 0, which no rule accepts.
    """
    try:
        yield
    except (ParameterError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        given = f"the map of {rule!r} after infinitely many steps, which does not exist or does not move"
        needed, fix = (
            "a step with a limit that moves",
            "limit=False, for the step of the state given; or the inner rule",
        )
        raise DomainError(given, needed, fix) from error


def counts(game: Game, rule: Rule, w: Array) -> bool:
    """Whether a rule counts its steps, so that its map may change from one to the next."""
    return any(True for _ in rule.init(game, w).counter_leaves())


def moves_modes(rule: Rule, anywhere: bool) -> bool:
    """Whether `mode_matrices` gives the derivative of the rule's step.

    The rule must be linear in the field and treat all players alike. With `anywhere`, for points that are no
    equilibria, it must also evaluate the field at w only, as GDA, optimistic GD and heavy ball do, and extragradient
    does not.
    """
    if not rule.domain.linear_in_field:
        return False
    game = ScalarModes([0.3 + 0.7j])
    point = np.full((1, 1, 2), 1.0 + 0.5j)
    try:
        state = rule.init(game, point)
        memory = [(k + 2) * 0.37 * point for k, _ in enumerate(state.leaves())]
        game.points.clear()
        moved, after, _ = rule.step(
            game, point, state.replace_leaves(iter(memory), (1 for _ in state.counter_leaves()))
        )
    except GandynError:  # parameters for other players than there are here
        return False
    if not all((array[..., 0] == array[..., 1]).all() for array in (moved, *(a for _, a in after.leaves()))):
        return False
    return not anywhere or all(np.array_equal(p, point) for p in game.points)


def modes(rule: Rule) -> Callable[[Array], Reading]:
    """The function from eigenvalues of J to the increments mu = lambda - 1 of the rule's augmented map."""

    def read(values: Array) -> Reading:
        matrices = mode_matrices(rule, values)
        found = np.linalg.eigvals(matrices)
        step = 1e-6 * max(float(np.abs(values).max(initial=0.0)), 1e-300)
        moved = np.linalg.eigvals(mode_matrices(rule, values + step))
        nearest = np.abs(found[:, :, None] - moved[:, None, :]).min(-1)
        sources = np.repeat(np.arange(len(values)), found.shape[1])
        return Reading(found.ravel(), sources, nearest.ravel() / step)

    return read


def mode_vector(rule: Rule, eigenvalue: complex, increment: complex, vector: Array) -> Array:
    """The eigenvector (c_0 x, c_1 x, ...) of the augmented map, of unit length, from an eigenvector x of J.

    `eigenvalue` is that of J, `increment` the augmented map's eigenvalue minus 1, and `vector` is x, shape (d,).
    """
    values, vectors = np.linalg.eig(mode_matrices(rule, [eigenvalue])[0])
    weights = vectors[:, np.argmin(np.abs(values - increment))]
    return torch.cat([complex(c) * vector for c in weights])


def increment_operator(game: Game, rule: Rule, w: Array, state: State | None, batch: Batch, limit: bool) -> Operator:
    """DF - I on the augmented state, with F the rule's step: forward products by two backward passes on one graph.

    With `limit`, step counters are taken at infinity instead of as they are in the state. Raises DomainError for
    implicit steps, and, where no state is given, for a rule whose map has no derivative at its first state.
    """
    _refuse_without_derivative(game, rule, state)
    view = holding(game, batch)
    start = rule.init(view, w) if state is None else state
    leaves = [(name, array.detach()) for name, array in start.leaves()]
    sizes = [int(w.shape[0]), *(int(array.shape[0]) for _, array in leaves)]
    no_draws: Any = _NoDraws()

    def stepped(z: Array, counters: Iterator[float]) -> Array:
        point, *arrays = torch.split(z, sizes)
        moved, after, _ = rule.step(view, point, start.replace_leaves(iter(arrays), counters), no_draws)
        return torch.cat([moved, *(array for _, array in after.leaves())])

    counters = [count for _, count in start.counter_leaves()]
    resting = torch.cat([w, *(_awake(name, array) for name, array in leaves)])
    if limit and counters:
        counters = [_late(rule, stepped, resting, len(w))] * len(counters)

    def step(z: Array) -> Array:
        return stepped(z, iter(counters))

    with torch.enable_grad():
        z = resting.requires_grad_()
        image = step(z)
        probe = torch.zeros_like(image, requires_grad=True)
        (pulled,) = torch.autograd.grad(image, z, probe, create_graph=True)

    def apply(u: Array) -> Array:
        (pushed,) = torch.autograd.grad(pulled, probe, u, retain_graph=True)
        return pushed - u

    increment = (lambda z: step(z) - z) if rule.domain.smooth else None
    return Operator(f"map of {rule!r}", apply, z.detach(), GENERAL, function=increment)


def _refuse_without_derivative(game: Game, rule: Rule, state: State | None) -> None:
    if is_implicit(game, rule):
        raise DomainError(
            f"the map of {rule.name}, an implicit step, away from an equilibrium",
            "an equilibrium, where it is a function of J",
            "as_equilibrium=True",
        )
    if state is None and not rule.domain.smooth:
        raise DomainError(
            f"the map of {rule.name}, which is not differentiable at the state it starts from",
            "a state with moments away from zero",
            "state=run.state of a trained run",
        )


def _late(rule: Rule, stepped: Callable[[Array, Iterator[float]], Array], z: Array, d: int) -> float:
    """The count that stands for infinitely many steps, by the increments beside a point: at rest all of them are 0.

    `stepped` takes a state z and counts; its first d entries are w. Raises DomainError for a step without a limit.
    """
    ramp = torch.linspace(-1e-2, 1e-2, d).to(z) * z[:d].abs().max().clamp(min=1e-2)
    beside = torch.cat([z[:d] + ramp, z[d:]])
    with _settled(rule):
        return late_count(lambda t: (stepped(beside, itertools.repeat(t)) - beside).detach())


def _awake(name: str, array: Array) -> Array:
    """An array of the state; in second moments zeros become 1e-30.

    The square root has no derivative at zero. With a tiny moment, a coordinate whose gradient has always been zero, as
    in dead units, does not move, and 0 times infinity does not occur.
    """
    if name.rpartition(".")[2] not in ("square", "largest"):
        return array
    return array.where(array != 0, array.new_tensor(TINY))


class _NoDraws:
    """Stands in for a random generator where every draw is fixed: it always returns 0."""

    def integers(self, *args: object, **options: object) -> int:
        return 0


def without_its_field(game: Game, w: Array, batch: Batch) -> Game:
    """The game with costs f_i - <v_i(w), x_i>, whose field is zero at w and whose Jacobian is that of the game.

    A zero-sum game stays zero-sum. Raises DomainError for games that are not made of networks.
    """
    costs_of = getattr(game, "_network_costs", None)
    if costs_of is None:
        raise DomainError(
            f"{game.name} with its field taken off", "a game of networks", "linearise at an equilibrium: at=..."
        )
    slopes = game.split(game.field(w, batch).detach())

    def costs(networks: tuple[nn.Module, ...], token: Batch, only: int | None) -> tuple[Array | None, ...]:
        found = list(costs_of(networks, token, only))
        linear = [
            flattened(_trained(network), _trained(network)) @ slope
            for network, slope in zip(networks, slopes, strict=True)
        ]
        if game.zero_sum:
            tilt = linear[0] - linear[1]
            return tuple(None if c is None else c - (tilt if i == 0 else -tilt) for i, c in enumerate(found))
        return tuple(None if c is None else c - line for c, line in zip(found, linear, strict=True))

    view = copy.copy(game)
    vars(view).update(_network_costs=costs, _kept_graph=None)
    return view


def _trained(network: nn.Module) -> list[Array]:
    """The parameters of a network that its player moves (`requires_grad`), in the network's order."""
    return [p for p in network.parameters() if p.requires_grad]
