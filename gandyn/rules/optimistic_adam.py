"""Adam with extrapolation: its extragradient, past-extragradient and optimistic forms for games."""

from __future__ import annotations

from ..types import Array, Cost, Game, Info, Rng, State
from .adaptive import Adam
from .declaration import first_field, register, remembers, zero


@register
class ExtraAdam(Adam):
    """Extragradient with Adam's directions d: w' = P(w - lr d(v(w))), then w+ = P(w - lr d(v(w'))).

    Both fields enter the moments, so that step t = 1, 2, ... corrects for 2t - 1 and then 2t of them (Gidel et al.
    2019a, algorithm 4).

    Args:
        lr, betas, eps: as for Adam.
    """

    cost = Cost(fields=2)

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """One look-ahead and one update, on a batch each."""
        t = state["steps"] + 1
        v = game.field(w, game.draw(rng))
        moments = self._update(state.arrays, v, w)
        ahead = game.project(self._moved(game, w, moments, 2 * t - 1))
        moments = self._update(moments, game.field(ahead, game.draw(rng)), w)
        return game.project(self._moved(game, w, moments, 2 * t)), State(moments, {"steps": t}), {"field": v}


@register
class PastExtraAdam(Adam):
    """ExtraAdam that looks ahead with the previous look-ahead field: one field a step (Gidel et al. 2019a, section 4).

    w' = P(w - lr d(v'_{t-1})), v'_t = v(w'), w+ = P(w - lr d(v'_t)) for Adam's directions d. Every direction updates
    the moments, so each v' enters them twice. The first step uses v'_0 = v(w_0).

    Args:
        lr, betas, eps: as for Adam.
    """

    memory = remembers(Adam, field_ahead=first_field)

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """One field evaluation, at the look-ahead point."""
        t = state["steps"] + 1
        moments = self._update(state.arrays, state["field_ahead"], w)
        ahead = game.project(self._moved(game, w, moments, 2 * t - 1))
        v = game.field(ahead, game.draw(rng))
        moments = self._update(moments, v, w)
        w = game.project(self._moved(game, w, moments, 2 * t))
        return w, State({**moments, "field_ahead": v}, {"steps": t}), {"field": v}


@register
class OptimisticAdam(Adam):
    """w+ = P(w - 2 lr d_t + lr d_{t-1}) for Adam's directions d_t, with d_0 = 0 (Daskalakis et al. 2018, algorithm 1).

    Args:
        lr, betas, eps: as for Adam.
    """

    memory = remembers(Adam, direction=zero)

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        t = state["steps"] + 1
        v = game.field(w, game.draw(rng))
        moments = self._update(state.arrays, v, w)
        direction = self._direction(moments, t, w)
        w = game.project(w - game.per_coordinate(self.lr, w) * (2 * direction - state["direction"]))
        return w, State({**moments, "direction": direction}, {"steps": t}), {"field": v}
