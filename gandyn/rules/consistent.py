"""Consistent opponent shaping: LOLA carried on until each player's model of the others is how they really move."""

from __future__ import annotations

import math

from ..errors import ConvergenceError, DomainError
from ..types import Array, Batch, Cost, Domain, Game, Info, Parameter, Rng, Rule, State
from ..worlds import SYMBOLS, concatenate, stack, world_of, zeros_like
from .declaration import accuracy, count, register, step_size, trials
from .products import own_blocks

FAR = 1e100  # slopes beyond this have no limit to reach


@register
class ConsistentShaping(Rule):
    """w+ = w + h(w) with h_i = -lr d/dx_i [f_i(x_i, x_j + h_j(w))]: each player models the others' true moves (COLA).

    Willi et al. 2022, eqs. 4-5. `order` n stops the recursion h^n_i = -lr d/dx_i [f_i(x_i, x_j + h^{n-1}_j)], h^0 = -lr
    v, early (HOLA): order 1 is LOLA without expansion. The derivatives of h are needed, so the published method fits
    neural networks to them; here they are exact, on games whose costs are quadratic, where h is affine.

    Args:
        lr: step size, one number or one per player.
        order: how many times players reason about each other; None to go on until nothing changes.
        tolerance: relative change of the derivative of h at which None stops.
        limit: most rounds of the recursion for None.

    Raises:
        DomainError: for a game whose costs are not quadratic.
        ConvergenceError: if the recursion does not settle, as it does not for large steps.
    """

    lr: Parameter = step_size()
    order: int | None = count(0, default=None)
    tolerance: float = accuracy(default=1e-14)
    limit: int = count(1, default=1000)
    cost = Cost(fields=math.nan)
    domain = Domain(several_players=True, unconstrained=True, deterministic=True, capturable=False)
    aliases = ("COLA", "HOLA")
    examples = trials(lambda rule: [rule(0.1, 2), rule((0.1, 0.05), 1)])

    def check(self, game: Game) -> None:
        """Refuse costs that are not quadratic."""
        super().check(game)
        if not game.quadratic:
            raise DomainError(
                f"{self.name} on {game.name}, whose costs are not quadratic",
                "a quadratic game, where the players' models of each other are affine",
                "use LOLA or StableOpponentShaping",
            )

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """The recursion on h(w + delta) = a + B delta."""
        lr = game.per_coordinate(self.lr, w)
        gradients, hessians = _derivatives(game, w, None)
        a, b = zeros_like(w), zeros_like(hessians[0])
        if self.order is None and world_of(w) == SYMBOLS:
            raise DomainError(
                f"{self.name}(order=None) on symbols", "a finite order, whose recursion is an expression", "order=3"
            )
        rounds = self.limit if self.order is None else self.order + 1
        for _ in range(rounds):
            before = b
            a, b = _reason(game, gradients, hessians, a, b, lr)
            if self.order is None and abs(b - before).max() <= self.tolerance * abs(b).max():
                return w + a, state, {"field": own_blocks(game, gradients)}
            if self.order is None and not abs(b).max() < FAR:
                break
        if self.order is None:
            raise ConvergenceError(
                f"{self.name} on {game.name}: the players' models do not settle within {self.limit} rounds",
                "a step size at which the recursion settles",
                "a smaller lr, or a finite order",
            )
        return w + a, state, {"field": own_blocks(game, gradients)}


def _derivatives(game: Game, w: Array, batch: Batch) -> tuple[list[Array], list[Array]]:
    """Gradients g_i, shape (..., d), and Hessians, shape (..., d, d), of all costs, which are quadratic.

    The Hessians are exact differences at the origin: beside a large w a unit would be lost to rounding.
    """
    constant = game.cost_gradients(zeros_like(w), batch)
    columns = []
    for k in range(game.dim):
        unit = zeros_like(w)
        unit[..., k] = unit[..., k] + 1
        columns.append(game.cost_gradients(unit, batch) - constant)
    hessians = list(stack(columns, axis=-1))
    return [g + _apply(hessian, w) for g, hessian in zip(constant, hessians, strict=True)], hessians


def _reason(
    game: Game, gradients: list[Array], hessians: list[Array], a: Array, b: Array, lr: Parameter
) -> tuple[Array, Array]:
    """One more level: each player's total gradient of f_i at (x_i, x_j + h_j), as a + B delta."""
    offsets, slopes = [], []
    for i, block in enumerate(game.slices):
        moved, answered = _mask(a, block), _mask_rows(b, block)  # the others' rows of h
        chain = answered + _identity(answered)
        g = gradients[i] + _apply(hessians[i], moved)
        transposed = chain.swapaxes(-1, -2)
        offsets.append(_apply(transposed, g)[..., block])
        slopes.append((transposed @ (hessians[i] @ chain))[..., block, :])
    h = concatenate(offsets)
    slope = concatenate([block.swapaxes(-1, -2) for block in slopes]).swapaxes(-1, -2)
    column = lr if not hasattr(lr, "shape") else lr[..., None]
    return -lr * h, -column * slope


def _mask(u: Array, block: slice) -> Array:
    u = u + zeros_like(u)
    u[..., block] = zeros_like(u[..., block])
    return u


def _mask_rows(matrix: Array, block: slice) -> Array:
    matrix = matrix + zeros_like(matrix)
    matrix[..., block, :] = zeros_like(matrix[..., block, :])
    return matrix


def _identity(matrix: Array) -> Array:
    identity = zeros_like(matrix)
    for k in range(matrix.shape[-1]):
        identity[..., k, k] = identity[..., k, k] + 1
    return identity


def _apply(matrix: Array, u: Array) -> Array:
    return (matrix @ u[..., None])[..., 0]
