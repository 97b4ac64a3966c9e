"""For a researcher's own statements: search for a counterexample, shrink it, and draw it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from ..results import Result, plain
from ..types import Game, Rule
from .base import Draw, Evidence
from .engine import search


@dataclasses.dataclass(frozen=True, repr=False)
class Falsification(Result):
    """The outcome of a search for a counterexample.

    Attributes:
        found: whether there is one. counterexample: the smallest, a dict; None where none was found.
        detail: the statement's own evidence there. tried, rejected: draws.
    """

    counterexample: Draw | None
    detail: str
    tried: int
    rejected: int

    _plot = "counterexample"

    @property
    def found(self) -> bool:
        """Whether the statement is false on some draw."""
        return self.counterexample is not None

    def __bool__(self) -> bool:
        return self.found

    def summary(self) -> str:
        """The counterexample, or how long none was found."""
        share = self.rejected / max(1, self.tried + self.rejected)
        if self.counterexample is None:
            return f"no counterexample in {self.tried} draws ({share:.0%} rejected): not a proof"
        shown = ", ".join(f"{name} = {value}" for name, value in self.counterexample.items())
        return f"false at {shown}" + (f": {self.detail}" if self.detail else "")

    def to_dict(self) -> dict[str, Any]:
        """Plain data; objects as they print."""
        shown = None if self.counterexample is None else {k: str(v) for k, v in self.counterexample.items()}
        result: dict[str, Any] = plain(
            {"counterexample": shown, "detail": self.detail, "tried": self.tried, "rejected": self.rejected}
        )
        return result


def falsify(
    statement: Callable[..., Evidence | bool],
    strategy: Any,
    draws: int = 500,
    where: Callable[..., bool] | None = None,
    seed: int | None = None,
) -> Falsification:
    """Search for a draw on which a statement is false, and shrink it to a simplest one.

    Args:
        statement: takes a draw as keyword arguments; true, false, or `Evidence`.
        strategy: a Hypothesis strategy of dicts, for instance `st.fixed_dictionaries({"rule": ..., "game": ...})`.
        draws: how many are tried. where: hypotheses that a draw must meet. seed: of the draws.

    Example:
        >>> import gandyn as gd
        >>> from hypothesis import strategies as st
        >>> def converges(step):
        ...     return gd.linearize(gd.games.bilinear(), gd.rules.Extragradient(step)).spectral_radius < 1
        >>> found = gd.claims.falsify(converges, st.fixed_dictionaries({"step": st.floats(0.1, 4)}))
        >>> found.counterexample["step"]
        1.0
    """
    seen = search(statement, strategy, draws, where, seed)
    detail = seen.evidence.detail if seen.evidence is not None else ""
    return Falsification(seen.failure, detail if seen.failure is not None else "", seen.tried, seen.rejected)


@dataclasses.dataclass(frozen=True, repr=False)
class Convergence(Result):
    """Whether a rule came to an equilibrium from every start; false as a truth value where it did not.

    Attributes:
        game, rule: what ran. start: (..., d). target: the equilibrium. distances: at the recorded steps, (T, ...).
        converged: one for each start. steps: how many at most.
    """

    game: Game
    rule: Rule
    start: Any
    target: Any
    steps: int
    distances: Any
    converged: Any

    _plot = "convergence"

    def __bool__(self) -> bool:
        return bool(np.all(self.converged))

    def summary(self) -> str:
        """How many starts came how close."""
        members = np.atleast_1d(self.converged)
        last = np.atleast_1d(self.distances[-1])
        return (
            f"{self.rule!r} on {self.game.name}: {int(members.sum())} of {members.size} starts converged within "
            f"{self.steps} steps; distances at the end from {last.min():.2g} to {last.max():.2g}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Numbers."""
        result: dict[str, Any] = plain(
            {
                "game": self.game.name,
                "rule": repr(self.rule),
                "start": self.start,
                "target": self.target,
                "steps": self.steps,
                "converged": self.converged,
                "last_distance": self.distances[-1],
            }
        )
        return result


def converges(
    rule: Rule, game: Game, start: Any = None, to: Any = None, steps: int = 20_000, within: float = 1e-3
) -> Convergence:
    """Run a rule and say whether it reaches an equilibrium: the distance falls below `within` times the first one.

    Args:
        rule, game: what runs. start: (..., d); eight points at distance 1/10 around the equilibrium by default.
        to: the equilibrium; the game's first known one by default. A game with several solutions counts the nearest.
        steps: at most. within: the share of the first distance that counts as having arrived.

    Example:
        >>> import gandyn as gd
        >>> bool(gd.claims.converges(gd.rules.Extragradient(0.5), gd.games.bilinear()))
        True
        >>> bool(gd.claims.converges(gd.rules.GDA(0.1), gd.games.bilinear()))
        False
    """
    from ..dynamics.iterate import iterate

    targets = np.atleast_2d(np.array(game.equilibria if to is None else [to], dtype=float))
    if start is None:
        directions = np.random.default_rng(0).normal(size=(8, game.dim))
        start = game.project(targets[0] + 0.1 * directions / np.linalg.norm(directions, axis=-1, keepdims=True))
    start = np.asarray(start, dtype=float)
    run = iterate(game, rule, start, steps, record=max(1, steps // 200))
    apart = np.linalg.norm(np.asarray(run.w)[..., None, :] - targets, axis=-1).min(-1)
    ok = np.array([s.name == "OK" for s in np.atleast_1d(np.asarray(run.status, dtype=object)).ravel()])
    arrived = (apart[-1] <= within * np.maximum(apart[0], 1e-300)) & ok.reshape(apart[-1].shape)
    return Convergence(game, rule, start, targets[0], steps, apart, arrived)
