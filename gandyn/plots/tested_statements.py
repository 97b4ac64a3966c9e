"""Pictures of tested statements: a counterexample in the plane, and distances to an equilibrium."""

from __future__ import annotations

import numpy as np

from ..claims.falsify import Convergence, Falsification
from ..errors import DomainError
from ..types import Game, Rule
from .drawable import rule_label
from .drawing import Drawing, one_panel
from .phase import phase_portrait
from .style import SERIES, styled


@styled
def convergence(result: Convergence, title: str | None = None) -> Drawing:
    """What `Convergence.plot()` draws: each start's distance to the equilibrium, on a logarithmic scale.

    Args:
        result: a `Convergence`.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds `steps` and `distances`.
    """
    figure, axes = one_panel(0.7)
    distances = np.asarray(result.distances).reshape(len(result.distances), -1)
    steps = np.linspace(0, result.steps, len(distances))
    arrived = np.atleast_1d(result.converged).ravel()
    for k in range(distances.shape[1]):
        curve = np.where(distances[:, k] > 0, distances[:, k], np.nan)
        axes.plot(steps, curve, color=SERIES[0] if arrived[k] else SERIES[1], linewidth=0.9)
    axes.set_yscale("log")
    axes.set(xlabel="step", ylabel="distance to the equilibrium")
    axes.set_title(f"{rule_label(result.rule)} on {result.game.name}" if title is None else title)
    figure.data.update(steps=steps, distances=distances)
    return figure


@styled
def counterexample(result: Falsification, steps: int = 200, start: object = None, title: str | None = None) -> Drawing:
    """What `Falsification.plot()` draws: the rule of the counterexample on its game of two coordinates.

    Args:
        result: with a counterexample that holds a game, and perhaps a rule.
        steps: of the rule.
        start: (2,), a unit away from the game's first equilibrium by default.
        title: of the picture.

    Raises:
        DomainError: without a counterexample, or without a planar game in it.
    """
    found = list((result.counterexample or {}).values())
    planar = [value for value in found if isinstance(value, Game) and value.dim == 2]
    if not planar:
        raise DomainError(
            "a falsification without a planar game", "a counterexample with a game of two coordinates", "read summary()"
        )
    game, runs = planar[0], []
    centre = np.array(game.equilibria[0], dtype=float) if game.equilibria else np.zeros(2)
    from ..dynamics.iterate import iterate

    for rule in (value for value in found if isinstance(value, Rule)):
        runs.append(iterate(game, rule, centre + np.array([1.0, 0.0]) if start is None else start, steps))
    return phase_portrait(game, trajectories=runs, title="counterexample" if title is None else title)
