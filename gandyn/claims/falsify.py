"""For a researcher's own statements: search for a counterexample, shrink it, and draw it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from ..errors import ParameterError
from ..results import Result
from ..types import Array, Game, Rule
from .base import Draw, Evidence
from .coverage import Coverage
from .recipe import recipes, written
from .search import enough, search


@dataclasses.dataclass(frozen=True, repr=False)
class Falsification(Result):
    """The outcome of a search for a counterexample.

    Attributes:
        found: whether there is one. counterexample: the smallest, a dict; None where none was found.
        detail: the statement's own evidence there. tried, rejected: draws of the search.
        shrunk: draws tried to make the counterexample smaller. coverage: which games were drawn.
        asked: how many draws were asked for.
    """

    counterexample: Draw | None
    detail: str
    tried: int
    rejected: int
    shrunk: int = 0
    coverage: Coverage = dataclasses.field(default_factory=Coverage)
    asked: int = 1

    _data = "counterexample=_counterexample detail tried rejected shrunk enough coverage"
    _plot = "counterexample"

    @property
    def found(self) -> bool:
        """Whether the statement is false on some draw."""
        return self.counterexample is not None

    def __bool__(self) -> bool:
        return self.found

    @property
    def enough(self) -> bool:
        """Whether so many draws met the hypotheses that "none found" says anything."""
        return enough(self.tried, self.rejected, self.asked)

    def summary(self) -> str:
        """The counterexample, written so that it can be rebuilt, or how long none was found; which games were drawn."""
        share = self.rejected / max(1, self.tried + self.rejected)
        seen = f"\ntried on {self.coverage.summary()}" if self.coverage.summary() else ""
        if self.counterexample is None:
            few = "" if self.enough else f"; too few of the {self.asked} asked for met the hypotheses to say anything"
            return f"no counterexample in {self.tried} draws ({share:.0%} rejected): not a proof{few}{seen}"
        shown = f"false at {written(self.counterexample)}" + (f": {self.detail}" if self.detail else "")
        return f"{shown}\nfound after {self.tried} draws, shrunk in {self.shrunk} more{seen}"

    @property
    def _counterexample(self) -> dict[str, str] | None:
        return recipes(self.counterexample)


def falsify(
    statement: Callable[..., Evidence | bool],
    strategy: object,
    draws: int = 500,
    where: Callable[..., bool] | None = None,
    seed: int | None = None,
) -> Falsification:
    """Search for a draw on which a statement is false, and shrink it to a simplest one.

    Args:
        statement: takes a draw as keyword arguments; true, false, or `Evidence`.
        strategy: a Hypothesis strategy of dicts, for instance `st.fixed_dictionaries({"rule": ..., "game": ...})`.
        draws: how many are tried. where: hypotheses that a draw must meet.
        seed: of the draws, which are the same in every run by default, whatever the text of the statement.

    Raises:
        ParameterError: where the draws are no dicts, or the statement answers anything but a truth value or `Evidence`:
            None, a number, an array.

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
    detail = seen.evidence.detail if seen.evidence is not None and seen.failure is not None else ""
    return Falsification(seen.failure, detail, seen.tried, seen.rejected, seen.shrunk, seen.coverage, draws)


@dataclasses.dataclass(frozen=True, repr=False)
class Convergence(Result):
    """Whether a rule came to an equilibrium from every start; false as a truth value where it did not.

    Attributes:
        game, rule: what ran. start: (..., d). target: the equilibrium. distances: at the recorded steps, (T, ...).
        converged: one for each start. steps: how many at most.
        coming: one for each start, whether it was still coming nearer at the last step: then nothing is decided of it.
    """

    game: Game
    rule: Rule
    start: Array
    target: Array
    steps: int
    distances: Array
    converged: Array
    coming: Array

    _data = "game rule start target steps converged coming last_distance"
    _plot = "convergence"

    def __bool__(self) -> bool:
        return bool(np.all(self.converged))

    def summary(self) -> str:
        """One line: how many starts converged, and at which distances from the target they end."""
        members = np.atleast_1d(self.converged)
        last = np.atleast_1d(self.distances[-1])
        coming = f", {int(np.sum(self.coming))} are still coming nearer" if np.any(self.coming) else ""
        return (
            f"{self._dynamics()}: {int(members.sum())} of {members.size} starts converged within "
            f"{self.steps} steps{coming}; distances at the end from {last.min():.2g} to {last.max():.2g}"
        )

    @property
    def evidence(self) -> Evidence:
        """For `falsify`: false where a start stays away. Where all are there or still coming, it says nothing."""
        return Evidence(bool(self), self.summary(), applies=bool(self) or not np.all(self.converged | self.coming))

    @property
    def last_distance(self) -> Array:
        """Distances to the target after the last step, one a start."""
        return self.distances[-1]


def converges(
    rule: Rule, game: Game, start: object = None, to: object = None, steps: int = 20_000, within: float = 1e-3
) -> Convergence:
    """Run a rule and say whether it reaches an equilibrium: the distance falls below `within` times the first one.

    A start that is not there after `steps` and whose largest distance fell from quarter to quarter of the run, and by
    more than 1 % from the second to the last, is `.coming`: `falsify` rejects a draw of which no more is known.

    Args:
        rule, game: what runs. start: (..., d); eight points at distance 1/10 around the equilibrium by default.
        to: the equilibrium; the game's first known one by default. A game with several solutions counts the nearest.
        steps: at most. within: the share of the first distance that counts as having arrived.

    Raises:
        ParameterError: where no equilibrium is given and the game knows none.

    Example:
        >>> import gandyn as gd
        >>> bool(gd.claims.converges(gd.rules.Extragradient(0.5), gd.games.bilinear()))
        True
        >>> bool(gd.claims.converges(gd.rules.GDA(0.1), gd.games.bilinear()))
        False
    """
    from ..dynamics.iterate import iterate

    known = game.equilibria if to is None else [to]
    if len(known) == 0:
        raise ParameterError(
            f"{game.name}, of which no equilibrium is known", "where to converge to", "to=w, or from gd.fixed_points"
        )
    targets = np.atleast_2d(np.array(known, dtype=float))
    if start is None:
        directions = np.random.default_rng(0).normal(size=(8, game.dim))
        start = game.project(targets[0] + 0.1 * directions / np.linalg.norm(directions, axis=-1, keepdims=True))
    start = np.asarray(start, dtype=float)
    run = iterate(game, rule, start, steps, record=max(1, steps // 200))
    apart = np.linalg.norm(np.asarray(run.w)[..., None, :] - targets, axis=-1).min(-1)
    ok = np.array([s.name == "OK" for s in np.atleast_1d(np.asarray(run.status, dtype=object)).ravel()])
    arrived = (apart[-1] <= within * np.maximum(apart[0], 1e-300)) & ok.reshape(apart[-1].shape)
    second, third, last = (part.max(0, initial=0.0) for part in np.array_split(apart, 4)[1:])
    coming = ~arrived & (last < third) & (third < second) & (last < 0.99 * second) & ok.reshape(apart[-1].shape)
    return Convergence(game, rule, start, targets[0], steps, apart, arrived, coming)
