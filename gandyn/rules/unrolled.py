"""Unrolled steps: player 1 differentiates its cost through gradient steps of player 2."""

from __future__ import annotations

from ..types import Array, Cost, Domain, Game, Info, Parameter, Rng, Rule, State
from ..worlds import concatenate, zeros_like
from .declaration import count, derived, largest_root, modulus, register, step_size, trials


@register
class Unrolled(Rule):
    """x+ = x - lr d/dx f_1(x, y_k(x)), y_{j+1} = y_j - inner_lr df_2/dy(x, y_j), y_0 = y; y+ = y - lr df_2/dy(x, y).

    Both players move from the current point (Metz et al. 2017, eqs. 5-8). The derivative is exact, by the adjoint
    recursion: l_k = df_1/dy(x, y_k), g = df_1/dx(x, y_k), then for j = k-1, ..., 0: g -= inner_lr J_yx^T l and
    l -= inner_lr J_yy^T l at (x, y_j). Memory: k blocks of player 2.

    Args:
        lr: step size, one number or one per player.
        k: steps unrolled; 0 is simultaneous gradient descent.
        inner_lr: step of the unrolled steps; player 2's own lr by default.
    """

    lr: Parameter = step_size()
    k: int = count(0, default=5)
    inner_lr: Parameter = step_size(default=None)
    domain = Domain(two_player=True, unconstrained=True)
    flow_order = derived(lambda rule: 1 if rule.inner_lr is None or rule.k == 0 else None)
    # Player 2's gradient k times (at least once), all gradients at the end, and k transposed products.
    cost = derived(lambda rule: Cost(fields=1 + max(rule.k, 1) / 2, vjps=rule.k))
    examples = trials(lambda rule: [rule(0.1, 3), rule((0.1, 0.05), 2, inner_lr=0.3)])

    @modulus
    def bilinear_modulus(s: float, lr: Parameter, k: int, inner_lr: Parameter) -> float:
        """Largest root of z^2 - (2 - c) z + 1 - c + s^2, c = 2 k s^2 inner_lr / lr."""
        c = 2 * k * s**2 * (1 if inner_lr is None else inner_lr / lr)
        return largest_root(1, c - 2, 1 - c + s**2)

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """Unroll, differentiate back, and step, on one batch."""
        batch = game.draw(rng)
        first, second = game.slices
        lr, inner_lr = self.lr, self.inner_lr
        inner = game.per_coordinate((1, game.per_player(lr)[1] if inner_lr is None else inner_lr), w)
        points, own = [w], None
        for _ in range(self.k):
            v = game.field(points[-1], batch, only=1)
            own = v if own is None else own
            points.append(points[-1] - inner * v)
        own = game.field(w, batch, only=1) if own is None else own
        ahead = game.cost_gradients(points[-1], batch)[0]
        g, adjoint = ahead[..., first], ahead[..., second]
        blank = zeros_like(g)
        for point in reversed(points[:-1]):
            pulled = game.vjp(point, inner * concatenate([blank, adjoint]), batch)
            g, adjoint = g - pulled[..., first], adjoint - pulled[..., second]
        v = concatenate([g, own[..., second]])
        return w - game.per_coordinate(lr, w) * v, state, {"direction": v}
