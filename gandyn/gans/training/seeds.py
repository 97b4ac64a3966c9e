"""Many runs of one training at once: `train(..., seeds=range(64))` steps all members as one ensemble."""

from __future__ import annotations

import collections
import dataclasses
import time
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch

from ...errors import DomainError, ParameterError
from ...results import Result, Status
from ...rules.schedule import Scheduled
from ...types import Game, Rule, State
from ..ema import EMA
from ..ensemble import Ensemble
from ..gan_game import GANGame
from .display import Display, display
from .log import Row
from .loop import Session
from .measures import default_metrics
from .observe import Observer
from .options import Saving, Stepping, Watching
from .run import TrainingRun
from .state import versions
from .stop import Stop

BAND = (10, 90)


@dataclasses.dataclass(frozen=True, repr=False)
class MemberRun(TrainingRun):
    """The run of one seed among several; everything as in a `TrainingRun` of its own.

    Attributes:
        ensemble, member: whose member it is. Its game's modules hold its buffers once `sample` or `load` was called.
    """

    ensemble: Any = None
    member: int = 0

    def sample(self, n: int, seed: int = 0) -> Any:
        """n points of the (averaged) generator, (n, ...)."""
        self.ensemble.put(self.member, self.w)
        return super().sample(n, seed)


@dataclasses.dataclass(frozen=True, repr=False)
class SeededRuns(Result):
    """One training with several seeds, computed at once.

    Attributes:
        game: the `Ensemble`. rule: the update rule. seeds: one for each member.
        runs: the members, each a `TrainingRun` with its own status, log and findings.
        seconds: spent on all of them.
    """

    game: Ensemble
    rule: Rule
    seeds: tuple[int, ...]
    runs: tuple[MemberRun, ...]
    seconds: float

    _data = "game rule seeds status step steps seconds losses metrics findings"

    @property
    def w(self) -> Any:
        """The last finite parameters of each member, (K, d)."""
        return torch.stack([run.w for run in self.runs])

    @property
    def average(self) -> Any:
        """Exponential averages of the parameters, (K, d), or None."""
        averages = [run.average for run in self.runs]
        return None if averages[0] is None else torch.stack(averages)

    @property
    def status(self) -> Any:
        """How each member ended, (K,)."""
        return np.array([*(run.status for run in self.runs), None], dtype=object)[:-1]

    @property
    def step(self) -> list[int]:
        """Steps done by each member."""
        return [run.step for run in self.runs]

    @property
    def steps(self) -> int:
        """Steps that each was to take."""
        return self.runs[0].steps

    @property
    def rows(self) -> list[Row]:
        """The log: for each step that has one, the members' rows side by side, nan where a member has none."""
        logs = [{row["step"]: row for row in run.rows} for run in self.runs]
        at = sorted({step for log in logs for step in log})
        return [{"step": step, **beside([log.get(step, {}) for log in logs])} for step in at]

    @property
    def losses(self) -> dict[str, Any]:
        """The last losses by player, (K,) each."""
        return {key: np.array(values) for key, values in beside([run.losses for run in self.runs]).items()}

    @property
    def metrics(self) -> dict[str, Any]:
        """The last metrics measured of each member: numbers as arrays (K,)."""
        found = beside([run.metrics for run in self.runs])
        return {key: np.array(values, float) for key, values in found.items() if _numbers(values)}

    @property
    def findings(self) -> list[list[Any]]:
        """The failure modes of each member, in the order in which they began."""
        return [run.findings for run in self.runs]

    def summary(self) -> str:
        """How many ended how, median and band of the last numbers, and which failure modes were seen how often."""
        endings = collections.Counter(run.status for run in self.runs)
        told = ", ".join(f"{count} {status.name}" for status, count in endings.most_common())
        lines = [f"{self._dynamics()}: {len(self.seeds)} seeds, {told}"]
        lines.append(f"{self.steps} steps, {self.seconds:.1f} s for all")
        for name, values in {**{f"loss of {k}": v for k, v in self.losses.items()}, **self.metrics}.items():
            known = values[np.isfinite(values)]
            if len(known):
                low, high = np.percentile(known, BAND)
                band = f"{BAND[0]} to {BAND[1]} %: {low:.4g} to {high:.4g}"
                lines.append(f"{name}: median {np.median(known):.4g} ({band}, {len(known)} members)")
        seen = collections.Counter(name for found in self.findings for name in {f.name for f in found})
        lines += [f"{name} in {count} members" for name, count in seen.most_common()]
        return "\n".join(lines if seen else [*lines, "no failure mode was seen"])


def beside(rows: Sequence[Row]) -> Row:
    """Rows of several members as one: each number a list over the members, nan where a member has none."""
    found: Row = {}
    for key in dict.fromkeys(key for row in rows for key in row if key not in ("step", "seconds")):
        values = [row.get(key) for row in rows]
        if any(isinstance(value, dict) for value in values):
            found[key] = beside([value or {} for value in values])
        else:
            found[key] = [float("nan") if value is None else value for value in values]
    return found


def _numbers(values: Sequence[object]) -> bool:
    return all(isinstance(value, (int, float)) for value in values)


@dataclasses.dataclass
class Member:
    """One member as the log of a run sees it: what `loop.Session` asks of a training."""

    game: GANGame
    seed: int
    observer: Observer
    w: Any
    average: Any = None
    last_field: Any = None
    step: int = 0
    seconds: float = 0.0
    status: Status = Status.OK
    gradients: Any = None

    @property
    def whole(self) -> GANGame:
        """The game, which no other process shares."""
        return self.game


class SeededTraining:
    """All members between two steps; see `train` for what is the same as in runs of their own.

    Args:
        game: what each member plays, or their `Ensemble`. rule, steps: as `train` takes them.
        stepping, watching, saving: the options.

    Raises:
        DomainError: for options that act on one run only.
    """

    def __init__(
        self, game: Any, rule: Rule, steps: int, stepping: Stepping, watching: Watching, saving: Saving
    ) -> None:
        _refuse_options(stepping, watching, saving)
        given = stepping.seeds
        seeds = tuple(range(len(game.games))) if given is None else given
        self.ensemble = game if isinstance(game, Ensemble) else Ensemble([_gan(game)] * len(seeds))
        if len(seeds) != len(self.ensemble.games):
            raise ParameterError(
                f"{len(seeds)} seeds for {len(self.ensemble.games)} games", "one for each", "leave seeds out"
            )
        self.ensemble.alive.fill_(True)
        self.rule = rule if stepping.schedule is None else Scheduled(rule, stepping.schedule)
        self.steps, self.watching, self.seeds = steps, watching, seeds
        self.streams: Any = [np.random.default_rng((seed, 0)) for seed in seeds]
        self.w = self.ensemble.w0.clone()
        self.members = [Member(g, seed, Observer(g, seed), w)
                        for g, seed, w in zip(self.ensemble.games, seeds, self.w, strict=True)]  # fmt: skip
        self.sessions = [self._session(member, saving) for member in self.members]
        self.state = self.rule.init(self.ensemble, self.w, cast(Any, self.streams))
        self.ema = None if stepping.average is None else EMA(self.w, stepping.average)
        self._share()

    def _session(self, member: Member, saving: Saving) -> Session:
        watching = dataclasses.replace(self.watching, progress=False, writers=())
        if watching.metrics == "auto":
            watching = dataclasses.replace(watching, metrics=default_metrics(member.game))
        session = Session(member, self.steps, watching, saving, {}, [], None)  # type: ignore[arg-type]
        session.display, session.writers = Display(), []
        return session

    def run(self) -> SeededRuns:
        """Take all steps."""
        began, shown = time.perf_counter(), display(self.watching.progress, 0, self.steps)
        try:
            with Stop() as stop:
                self._log(shown, range(len(self.members)))
                for step in range(1, self.steps + 1):
                    if not bool(self.ensemble.alive.any()):
                        break
                    self._step(step)
                    for member in self._living():
                        member.seconds = time.perf_counter() - began
                    shown.step(step)
                    if self.sessions[0]._due(self.watching.log_every, step):
                        self._log(shown, self.ensemble.alive.nonzero().flatten().tolist())
                        self._stop_early()
                    if stop.signal is not None and step < self.steps:
                        self._end(range(len(self.members)), Status.INTERRUPTED)
        finally:
            shown.close()
            for writer in self.watching.writers:
                writer.close()
        return self._result(time.perf_counter() - began)

    def _step(self, step: int) -> None:
        """One step of all members; those whose next point is not finite stay where they were."""
        before, alive = self.ensemble.alive.clone(), self.ensemble.alive
        w, state, info = self.rule.step(self.ensemble, self.w, self.state, self.streams)
        alive &= w.isfinite().all(-1)
        whole = bool(alive.all())
        self.ensemble.advance()
        self.w = w if whole else self._kept(w, self.w)
        self.state = state if whole else self._kept_state(state)
        if self.ema is not None:
            average = self.ema.w.clone()
            self.ema.update(self.w)
            self.ema.w.copy_(self._kept(self.ema.w, average))
        for k in (before & ~alive).nonzero().flatten().tolist():
            self.members[k].status, self.members[k].gradients = Status.DIVERGED, self.ensemble.counts * 1
            self._look(k, diverged=True)
        for member in self._living():
            member.step = step
        self._share(info.get("field"))

    def _living(self) -> list[Member]:
        return [m for m, lives in zip(self.members, self.ensemble.alive.tolist(), strict=True) if lives]

    def _kept(self, new: Any, old: Any) -> Any:
        """The new rows of living members, the old ones of others."""
        return torch.where(self.ensemble.alive.view(-1, *(1,) * (new.ndim - 1)), new, old)

    def _kept_state(self, state: State) -> State:
        pairs = zip(state.leaves(), self.state.leaves(), strict=True)
        kept = [self._kept(new, old) for (_, new), (_, old) in pairs]
        return state.replace_leaves(iter(kept), iter([count for _, count in state.counter_leaves()]))

    def _share(self, field: Any = None) -> None:
        """Tell living members where they stand."""
        for k, member in enumerate(self.members):
            if bool(self.ensemble.alive[k]):
                member.w, member.last_field = self.w[k], None if field is None else field[k]
                member.average = None if self.ema is None else self.ema.w[k]
                member.gradients = self.ensemble.counts * 1

    def _log(self, shown: Display, members: Sequence[int]) -> None:
        for k in members:
            self._look(k)
        if self.watching.writers or self.watching.progress:
            rows = [session.rows[-1] for session in self.sessions]
            step = max(row["step"] for row in rows)
            for writer in self.watching.writers:
                writer.write({"step": step, **beside([row if row["step"] == step else {} for row in rows])})
            shown.row({**rows[members[0]], "step": step})

    def _look(self, k: int, diverged: bool = False) -> None:
        game = self.ensemble.put(k, self.members[k].w)
        with game.undisturbed():
            self.sessions[k]._look(diverged=diverged)

    def _stop_early(self) -> None:
        for k in self.ensemble.alive.nonzero().flatten().tolist():
            if self.sessions[k]._stops():
                self._end([k], Status.STOPPED)

    def _end(self, members: Sequence[int], status: Status) -> None:
        for k in members:
            if bool(self.ensemble.alive[k]):
                self.members[k].status, self.ensemble.alive[k] = status, False

    def _result(self, seconds: float) -> SeededRuns:
        runs = []
        for k, (member, session) in enumerate(zip(self.members, self.sessions, strict=True)):
            leaves, counters = (array[k] for _, array in self.state.leaves()), self.state.counter_leaves()
            state = self.state.replace_leaves(leaves, (count for _, count in counters))
            runs.append(MemberRun(
                member.game, self.rule, member.w, state, member.average, member.status, member.step, self.steps,
                session.rows, session.monitor.findings, member.seconds, member.gradients, None, versions(),
                ensemble=self.ensemble, member=k,
            ))  # fmt: skip
        self.ensemble.put(0, self.members[0].w)
        return SeededRuns(self.ensemble, self.rule, self.seeds, tuple(runs), seconds)


def _gan(game: Game) -> GANGame:
    if not isinstance(game, GANGame):
        raise DomainError(
            f"{type(game).__name__} with several seeds", "a GANGame or an Ensemble", "one run per process"
        )
    return game


def _refuse_options(stepping: Stepping, watching: Watching, saving: Saving) -> None:
    refused = {
        "folder": saving.folder,
        "precision": stepping.precision if stepping.precision != "float32" else None,
        "compile": stepping.compile or None,
        "capture": stepping.capture or None,
        "samples_every": watching.samples_every,
        "monitor": watching.monitor,
    }
    for name, value in refused.items():
        if value is not None:
            raise DomainError(
                f"{name} with several seeds, which acts on one run",
                "seeds without it",
                f"for seed in seeds: gd.gans.train(game, rule, steps, seed=seed, {name}=...)",
            )
