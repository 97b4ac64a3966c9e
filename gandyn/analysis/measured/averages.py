"""Running averages of a trajectory: over every step or instant of it, however few of its points were recorded."""

from __future__ import annotations

import dataclasses

import numpy as np

from ...doors import door
from ...errors import DomainError, ParameterError
from ...lazy import torch
from ...results import Trajectory
from ...types import Rule

NUMBERS = 2_000_000
AGREES, RESOLVED = 1e-9, 1e-10
NODES, DOUBLINGS = 8, 12
Array = np.ndarray


@door
def ergodic_average(trajectory: Trajectory) -> Trajectory:
    """The running averages (w_1 + ... + w_t) / t of a trajectory; for flows, (1/t) times the integral of w.

    The averages do not depend on how often the trajectory was recorded. Where a rule's run kept only every k-th step,
    it is computed again from its first point and must agree with the recorded points to 1e-9. For a flow, the dense
    solution is integrated with more and more nodes until twice as many give the same to 1e-10.

    In bilinear games uniform averages of bounded play converge as 1/t, although the play itself circles (Nemirovski
    2004). `gd.fit_rate` measures their rate, which no linearisation predicts.

    Members of an ensemble that diverged have no average: their rows are nan, and their status says why.

    Args:
        trajectory: a result of `gd.iterate` or `gd.flow`, of one start or an ensemble.

    Returns:
        A `Trajectory` at the same times, of the same shape. Its first row is the start itself.

    Raises:
        ParameterError: where only the last point was recorded, or the steps between cannot be computed again.
        DomainError: for a run that diverged.

    Example:
        >>> import gandyn as gd
        >>> run = gd.iterate(gd.games.bilinear(), gd.rules.AlternatingGD(0.2), [1.0, 0.0], 4000)
        >>> found = gd.fit_rate(gd.ergodic_average(run))
        >>> found.model, round(found.exponent, 2)
        ('power', 1.0)
    """
    w, t = _numbers(trajectory.w), np.asarray(trajectory.t, dtype=float)
    if len(t) < 2 or w.shape[0] != len(t):
        raise ParameterError("a trajectory of which only the last point was recorded", "every step", 'record="all"')
    lost = np.asarray(trajectory.diverged)
    if lost.all():
        raise DomainError(
            "the average of a run that diverged",
            "a run that stayed finite",
            "average fewer steps, or take smaller ones",
        )
    sums = _sums(trajectory, w, t) if trajectory.rule is not None else _integrals(trajectory, w, t)
    means = sums / (t[1:] - t[0]).reshape(-1, *[1] * (w.ndim - 1))
    means = np.where(np.broadcast_to(lost, w.shape[1:-1])[..., None], np.nan, means)
    return dataclasses.replace(
        trajectory, w=np.concatenate([w[:1], means]), rule=trajectory.rule and Averaged(trajectory.rule), solution=None
    )


class Averaged:
    """The entry `rule` in a trajectory of averages: it names the rule that was averaged, and cannot be run."""

    def __init__(self, rule: Rule) -> None:
        self.rule, self.name = rule, f"average of {rule.name}"

    def __repr__(self) -> str:
        return f"the ergodic average of {self.rule!r}"


def _numbers(w: Array) -> Array:
    return np.asarray(w.detach().cpu() if hasattr(w, "detach") else w, dtype=float)


def _sums(trajectory: Trajectory, w: Array, t: Array) -> Array:
    """The sums w_1 + ... + w_t at the recorded steps t after the first."""
    if (np.diff(t) == 1).all():
        return np.cumsum(w[1:], axis=0)
    recorded = np.round(t - t[0]).astype(int)
    starts, steps, d = w[0].reshape(-1, w.shape[-1]), int(recorded[-1]), w.shape[-1]
    sums, rows = np.empty((len(t) - 1, *starts.shape)), w.reshape(len(t), *starts.shape)
    batch = max(1, NUMBERS // ((steps + 1) * d))
    lost = np.broadcast_to(np.asarray(trajectory.diverged), w.shape[1:-1]).ravel()
    for k in range(0, len(starts), batch):
        part = slice(k, k + batch)
        every = _again(trajectory, starts[part], steps)
        scale = np.abs(rows[:, part]).max(0)
        if not (np.abs(every[recorded] - rows[:, part]) <= AGREES * scale)[:, ~lost[part]].all():
            raise ParameterError(
                f"every {recorded[1]}-th point of a run that does not come out the same when it is computed again",
                "every step, or a run from a fixed seed and start",
                'record="all"',
            )
        with np.errstate(all="ignore"):
            sums[:, part] = np.cumsum(every[1:], axis=0)[recorded[1:] - 1]
    return sums.reshape(len(t) - 1, *w.shape[1:])


def _again(trajectory: Trajectory, starts: Array, steps: int) -> Array:
    """Every point of the run from its first, in the world in which it was made."""
    from ...dynamics.iterate import iterate

    w = trajectory.w
    first = torch.as_tensor(starts, dtype=w.dtype, device=w.device) if hasattr(w, "detach") else starts
    return _numbers(iterate(trajectory.game, trajectory.rule, first, steps).w)


def _integrals(trajectory: Trajectory, w: Array, t: Array) -> Array:
    """The integral of w from the first time to every later one, by Gauss's rule on finer and finer parts."""
    if trajectory.solution is None:
        raise ParameterError("a flow without its dense output", "the result of gd.flow as it was", "average first")
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    scale, before, parts = np.abs(w).max(0), None, 1
    for _ in range(DOUBLINGS):
        width = np.diff(t)[:, None, None] / parts
        times = t[:-1, None, None] + width * (np.arange(parts)[:, None] + (nodes + 1) / 2)
        if before is not None and times.size * w[0].size > NUMBERS:
            break
        share = np.broadcast_to(width * weights / 2, times.shape)
        values = _numbers(trajectory.solution(times)) * share.reshape(*times.shape, *[1] * (w.ndim - 1))
        sums = np.cumsum(values.sum((1, 2)), axis=0)
        if before is not None and (np.abs(sums - before) <= RESOLVED * (t[-1] - t[0]) * scale).all():
            return np.asarray(sums)
        before, parts = sums, 2 * parts
    raise ParameterError("a flow that turns too often between its recorded times", "more samples", "samples=20001")
