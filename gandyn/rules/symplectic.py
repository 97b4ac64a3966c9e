"""Symplectic corrections: rotate the field towards stable equilibria with the antisymmetric part of the Jacobian."""

from __future__ import annotations

import math

from ..types import Array, Cost, Domain, Game, Info, Parameter, Rng, Rule, State
from ..worlds import dot, exp, number, sign
from .declaration import accuracy, choice, coefficient, modulus, register, step_size, trials, weight
from .linear_systems import SOLVERS, solve


@register
class SGA(Rule):
    """w+ = P(w - lr (v + l A^T v)), A = (J - J^T) / 2: symplectic gradient adjustment.

    Balduzzi et al. 2018, algorithm 1. With `align`, l = lam sign(<v, g> <A^T v, g> / d + alignment), g = J^T v: the
    adjustment pulls towards stable equilibria and pushes away from unstable ones. The divisor is the dimension d, so
    that the rule does not depend on how parameters are packed. Near an equilibrium the sign is that of `alignment`. On
    f = x y this is `Consensus` with gamma = lam.

    Args:
        lr: step size, one number or one per player.
        lam: weight of the adjustment.
        align: choose its sign; without, l = lam.
        alignment: the positive number that decides where the products vanish.
    """

    lr: Parameter = step_size()
    lam: Parameter = coefficient()
    align: bool = True
    alignment: Parameter = step_size(default=0.1)
    cost = Cost(fields=1, jvps=1, vjps=1)
    flow_order = None
    bilinear_modulus = modulus(lambda s, lam, lr: math.hypot(1 - lam / lr * s**2, s))
    examples = trials(lambda rule: [rule(0.1, 0.5), rule((0.1, 0.05), 0.5, align=False)])

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """One field and two products, on the same batch."""
        batch = game.draw(rng)
        v = game.field_and_graph(w, batch)
        symmetric, antisymmetric = game.parts(w, v, batch)
        weight = self._weight(w, v, symmetric, antisymmetric)
        change = v - weight * antisymmetric
        return game.project(w - game.per_coordinate(self.lr, w) * change), state, {"field": v}

    def _weight(self, w: Array, v: Array, symmetric: Array, antisymmetric: Array) -> Array:
        """lam, with the sign that aligns the adjustment with the gradient of |v|^2 / 2."""
        weight = number(self.lam, w)
        if not self.align:
            return weight
        gradient = symmetric - antisymmetric
        agreement = -dot(v, gradient) * dot(antisymmetric, gradient) / w.shape[-1]
        return weight * sign(agreement + number(self.alignment, w))


@register
class LocalSymplecticSurgery(Rule):
    """w+ = w - lr/2 (v + J^T (J^T J + r I)^{-1} J^T v), r = rho (1 - exp(-|v|^2)) (Mazumdar et al. 2019, eq. 5).

    At an equilibrium with invertible J the linear part of the bracket is J + J^T: it has real eigenvalues, so that
    nothing rotates, and in zero-sum games only local Nash equilibria attract. On f = x y the bracket is r/(1 + r) v:
    zero to first order, and farther out a slow rotation outwards.

    Args:
        lr: step size, one number or one per player.
        regularization: rho, keeps the system invertible away from equilibria.
        solver: "dense", "krylov", or "auto" by dimension.
        tolerance: relative residual of the iterative solver.
    """

    lr: Parameter = step_size()
    regularization: Parameter = weight(default=1.0)
    solver: str = choice(*SOLVERS, default="auto")
    tolerance: float = accuracy(default=1e-8)
    cost = Cost(fields=1, jvps=math.nan, vjps=math.nan)
    domain = Domain(unconstrained=True, capturable=False)
    flow_order = None
    aliases = ("LSS",)
    bilinear_modulus = modulus(lambda s: 1.0)  # the correction undoes the field
    examples = trials(lambda rule: [rule(0.1), rule((0.1, 0.05), 0.3)])

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """One field and one symmetric linear solve, on the same batch."""
        batch = game.draw(rng)
        v = game.field_and_graph(w, batch)
        shift = number(self.regularization, w) * (1 - exp(-dot(v, v)))

        def normal(u: Array) -> Array:
            return game.vjp(w, game.jvp(w, u, batch), batch) + shift * u

        u, info = solve(
            self, game, normal, game.vjp(w, v, batch), solver=self.solver, symmetric=True, tolerance=self.tolerance
        )
        change = (v + game.vjp(w, u, batch)) / 2
        return w - game.per_coordinate(self.lr, w) * change, state, {"field": v, **info}
