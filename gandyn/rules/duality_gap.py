"""Duality-gap descent: every player descends one function, what all could gain by answering the others."""

from __future__ import annotations

import math
from typing import Any

from ..errors import DomainError, ParameterError
from ..types import Array, Batch, Cost, Domain, Game, Info, Parameter, Rng, Rule, State
from ..worlds import concatenate, zeros_like
from .declaration import count, modulus, register, step_size
from .products import only, without
from .views import NewField


@register
class DualityGapDescent(Rule):
    """w+ = P(w - lr grad G(w)), G(w) = sum_i f_i(w) - f_i(y_i, w_-i), y_i player i's answer to the others at w.

    Grnarova et al. 2021, section 4; for n players and general sums G is the Nikaido-Isoda function. For a zero-sum game
    G(x, y) = f(x, y') - f(x', y). The answers y_i are k steps x_i <- x_i - inner_lr df_i/dx_i from the current point,
    or exact minimisers (k=None). Three gradients of G:

    * held answers (`through=False`, the envelope theorem): grad f(., y') for x, -grad f(x', .) for y. On f = x y
      this is consensus with weight k inner_lr, and rotates: modulus sqrt((1 - lr k inner_lr sigma^2)^2 + s^2).
      With exact answers it is the gradient of the exact gap (Danskin).
    * through the k steps (`through=True`), by the adjoint recursion over stored points: the true gradient of G,
      whose field is curl-free. On f = x y the coupling vanishes: modulus |1 - 2 lr k inner_lr sigma^2|.

    Memory of `through`: k joint vectors a player.

    Args:
        lr: step size, one number or one per player.
        k: inner steps, at least 1; None for the exact answer where the game has one in closed form.
        inner_lr: step size of the inner steps, one number or one per player.
        through: differentiate through the inner steps.
        inner: a rule for the inner steps instead of plain gradient steps, such as `Adam(1e-3)`, started afresh in
            each outer step; held answers only.
        outer: a rule for the outer step instead of a plain gradient step, such as `Adam(1e-2)`.
        fresh: a new batch for each inner step, instead of the outer step's.
    """

    lr: Parameter = step_size(default=None)
    k: int | None = count(1, default=1, optional=True)
    inner_lr: Parameter = step_size(default=None)
    through: bool = False
    inner: Rule | None = None
    outer: Rule | None = None
    fresh: bool = False
    flow_order = None
    aliases = ("DGD",)
    per_player_parameters = ("lr", "inner_lr")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lr is None and self.outer is None:
            raise ParameterError(f"{self.name} without a step size", "lr, or a rule for the outer step", "lr=0.1")
        self._check_inner()
        for name in ("inner", "outer"):
            if not isinstance(getattr(self, name), (Rule, type(None))):
                raise ParameterError(
                    f"{self.name}({name}={getattr(self, name)!r})", "a rule", "outer=gd.rules.Adam(0.01)"
                )

    def _check_inner(self) -> None:
        """Exactly one way to answer: exact, plain steps, or a rule's steps, which are not differentiated through."""
        ways = (self.k is None) + (self.inner_lr is not None) + (self.inner is not None)
        if ways != 1:
            raise ParameterError(
                f"{self.name}(k={self.k!r}, inner_lr={self.inner_lr!r}, inner={self.inner!r})",
                "one of: inner_lr, an inner rule, or k=None for exact answers",
                f"{self.name}(0.1, k=5, inner_lr=0.1)",
            )
        if self.through and self.inner_lr is None:
            raise ParameterError(
                f"{self.name}(through=True) without plain inner gradient steps",
                "inner_lr=..., the steps whose adjoint is known",
                "through=False, which holds the answers",
            )

    @property
    def domain(self) -> Domain:  # type: ignore[override]
        """Smooth and capturable where the inner and the outer rule are.

        Exact answers of matrix games are not smooth, and whether a game has one is decided on the host.
        """
        parts = [rule.domain for rule in (self.inner, self.outer) if rule is not None]
        smooth, capturable = (all(getattr(p, name) for p in parts) for name in ("smooth", "capturable"))
        inner_steps = self.k is not None
        return Domain(several_players=True, smooth=inner_steps and smooth, capturable=inner_steps and capturable)

    @property
    def cost(self) -> Cost:
        """On a zero-sum game: k fields for the answers and one for the gradient; through them two, and 2 k vjps."""
        return self._cost(gradients=2 if self.through else 1)

    def cost_on(self, game: Game) -> Cost:
        """In a general sum every player's cost also depends on the others' blocks: three evaluations of gradients."""
        return self.cost if game.zero_sum else self._cost(gradients=3)

    def _cost(self, gradients: int) -> Cost:
        if self.k is None:
            return Cost(math.nan, math.nan, math.nan)
        inner = Cost() if self.inner is None else self.inner.cost
        times = 1 if self.outer is None else self.outer.cost.fields
        vjps = 2 * self.k if self.through else self.k * inner.vjps
        return Cost(times * (self.k * inner.fields + gradients), times * self.k * inner.jvps, times * vjps)

    @modulus
    def bilinear_modulus(
        s: float, lr: Parameter, k: object, inner_lr: Parameter, through: bool, outer: Rule | None
    ) -> float | None:
        """sqrt((1 - k r s^2)^2 + s^2) with held answers, |1 - 2 k r s^2| through them, r = inner_lr / lr."""
        if None in (k, inner_lr) or outer is not None:
            return None
        pull = k * inner_lr / lr * s**2
        return abs(1 - 2 * pull) if through else math.hypot(1 - pull, s)

    @classmethod
    def examples(cls) -> list[Rule]:
        """Held answers, through them, per player, and Adam inside or outside."""
        from .adaptive import Adam

        return [
            cls(0.1, 3, 0.2),
            cls(0.1, 2, 0.2, through=True),
            cls((0.1, 0.05), 2, inner_lr=(0.1, 0.3), fresh=True),
            cls(0.1, 2, inner=Adam(0.01)),
            cls(None, 2, 0.1, outer=Adam(0.01)),
        ]

    def check(self, game: Game) -> None:
        """Refuse what no player can answer, or what cannot be differentiated through."""
        super().check(game)
        if self.through and game.constrained:
            raise DomainError(
                f"{self.name}(through=True) on {game.name}, a constrained game",
                "an unconstrained game: projections inside the inner steps have no gradient here",
                "through=False, which holds the answers",
            )
        if self.inner is not None:
            for i in range(len(game.players)):
                self.inner.check(game.restrict(i, None))
        if self.outer is not None:
            self.outer.check(self._view(game))

    def init(self, game: Game, w: Array, rng: Rng = None) -> State:
        """The outer rule's state, where there is one."""
        self.check(game)
        return State() if self.outer is None else State(inner=(self.outer.init(self._view(game), w, rng),))

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """Answer, differentiate the gap, and step; on one batch unless `fresh`."""
        if self.outer is not None:
            w, inner, info = self.outer.step(self._view(game), w, state.inner[0], rng)
            return w, State(inner=(inner,)), info
        slope = self.gap_gradient(game, w, game.draw(rng), rng)
        return game.project(w - game.per_coordinate(self.lr, w) * slope), state, {"gap_gradient": slope}

    # --- the gradient of the gap ---------------------------------------------------------------------------------

    def gap_gradient(self, game: Game, w: Array, batch: Batch = None, rng: Rng = None) -> Array:
        """grad G(w), shape (..., d), by the route that the rule was built for. `rng` draws fresh inner batches."""
        paths = [self._path(game, i, w, batch, rng) for i in range(len(game.players))]
        if self.through:
            slopes = [self._adjoint(game, i, path, batch) for i, path in enumerate(paths)]
        elif game.zero_sum:  # f_1 + f_2 = 0, and what is left of each gradient is the other player's own
            x, y = game.field(paths[1][-1], batch, only=0), game.field(paths[0][-1], batch, only=1)
            return x + y
        else:
            slopes = [without(game, _gradient(game, i, path[-1], batch), i) for i, path in enumerate(paths)]
        total = zeros_like(w) if game.zero_sum else game.cost_gradients(w, batch).sum(0)
        return total - sum(slopes[1:], slopes[0])

    def answers(self, game: Game, w: Array, batch: Batch = None, rng: Rng = None) -> list[Array]:
        """(y_i, w_-i) for each player i: joint vectors at which player i alone has moved."""
        return [self._path(game, i, w, batch, rng)[-1] for i in range(len(game.players))]

    def _path(self, game: Game, i: int, w: Array, batch: Batch, rng: Rng) -> list[Array]:
        """Joint vectors from w to player i's answer; only the last one where they are not differentiated through."""
        if self.k is None:
            return [_replaced(game, i, w, game.best_response(i, w))]
        if self.inner is not None:
            view = game.restrict(i, w)
            return [_replaced(game, i, w, self._run(self.inner, view, batch, rng))]
        step, points = game.per_coordinate(self.inner_lr, w), [w]
        for _ in range(self.k):
            at = game.draw(rng) if self.fresh else batch
            moved = game.project(points[-1] - step * game.field(points[-1], at, only=i))
            points = [*points, moved] if self.through else [moved]
        return points

    def _run(self, inner: Rule, view: Any, batch: Batch, rng: Rng) -> Array:
        """k steps of a rule on one player's own problem, from where it stands."""
        if not self.fresh:
            view.draw = lambda _: batch
        x, state = view.block, inner.init(view, view.block, rng)
        for _ in range(self.k or 0):
            x, state, _ = inner.step(view, x, state, rng)
        return x

    def _adjoint(self, game: Game, i: int, path: list[Array], batch: Batch) -> Array:
        """Gradient of f_i(y_i(w), w_-i), back along the path: a <- a - inner_lr J^T (player i's block of a)."""
        adjoint = _gradient(game, i, path[-1], batch)
        step = game.per_coordinate(self.inner_lr, path[0])
        for point in reversed(path[:-1]):
            adjoint = adjoint - game.vjp(point, only(game, step * adjoint, i), batch)
        return adjoint

    def _view(self, game: Game) -> Game:
        """The game with the gap's gradient as its field."""

        def field(w: Array, batch: Batch, who: int | str | None) -> Array:
            slope = self.gap_gradient(game, w, batch)
            return slope if who is None else only(game, slope, game.player_index(who))

        return NewField(game, field)


def _gradient(game: Game, i: int, w: Array, batch: Batch) -> Array:
    """df_i/dw, all blocks: from one field where the game is zero-sum."""
    if not game.zero_sum:
        return game.cost_gradients(w, batch)[i]
    v = game.field(w, batch)
    return only(game, v, i) - without(game, v, i)


def _replaced(game: Game, i: int, w: Array, block: Array) -> Array:
    """w with player i's block replaced."""
    blocks = list(game.split(w))
    blocks[i] = block
    return concatenate(blocks)
