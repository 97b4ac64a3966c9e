"""Many runs of one training at once: `train(..., seeds=range(64))` steps all members as one ensemble."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

from ...errors import DomainError
from ...results import Status
from ...types import Rule
from . import checkpoint
from .display import Display, display
from .identity import refuse_nameless
from .lock import Held, locked
from .log import JsonLines, Row, seal
from .loop import Session, begun, write_result
from .options import Saving, Stepping, Watching
from .run import LOG
from .seeded_runs import SeededRuns, beside, by_seed
from .seeded_state import SeededState
from .state import versions
from .stop import Stop


class SeededTraining:
    """One call of `train` with several seeds, from where the members stand to their last step.

    Raises DomainError for options that act on one run only.
    """

    def __init__(
        self, game: object, rule: Rule, steps: int, stepping: Stepping, watching: Watching, saving: Saving
    ) -> None:
        _refuse_options(stepping, watching)
        self.training = SeededState(game, rule, stepping)
        self.identity = {**self.training.identity, **(saving.identity or {})}
        if saving.place is not None:
            refuse_nameless(self.identity)
        self.steps, self.watching, self.saving = steps, watching, saving
        self.checkpoint_every = saving.checkpoint_every or max(steps // 10, 1)
        self.saved: int | None = None
        self.log: list[Row] = []
        self.sessions: list[Session] = []

    def run(self) -> SeededRuns:
        """Take the steps that are left. Raises OutputError for a folder that is moved or cannot be written."""
        training = self.training
        with locked(self.saving.place) as held:
            self.begin(begun(training, self.identity, self.saving), held)
            began, before = time.perf_counter(), training.seconds
            shown = display(self.watching.progress, training.step, self.steps)
            try:
                with Stop() as stop:
                    if not self.log:
                        self._log(shown, range(len(training.members)))
                    while training.step < self.steps and training.living and stop.signal is None:
                        fallen = training.advance()
                        training.seconds = before + time.perf_counter() - began
                        self._after(shown, fallen, held)
            finally:
                shown.close()
                for writer in (*self.watching.writers, *self.sessions[0].writers):
                    writer.close()
            self._save(held)
            cut_short = stop.signal is not None and training.step < self.steps and bool(training.living)
            if cut_short:
                training.end(training.living, Status.INTERRUPTED)
            logs, findings = [s.rows for s in self.sessions], [s.monitor.findings for s in self.sessions]
            ended = stop.signal if cut_short else None
            runs = SeededRuns.of(training, logs, findings, self.steps, self.saving.place, ended)
            if held is not None:
                write_result(runs, held)
        return runs

    def begin(self, rows: Sequence[Row], held: Held | None = None) -> None:
        """Bring each member's log and monitor to where they stood after these rows, each of which names its seed."""
        self.log, logs = list(rows), by_seed(rows, self.training.seeds)
        file = None if held is None else JsonLines(held.folder / LOG)
        for member in self.training.members:
            watching = dataclasses.replace(self.watching, progress=False, writers=()).on(member.game)
            session = Session(member, self.steps, watching, self.saving, {}, logs[member.seed], None)  # type: ignore[arg-type]
            session.display, session.writers = Display(), [_Named(member.seed, self.log, file, held)]
            self.sessions.append(session)

    def _after(self, shown: Display, fallen: Sequence[int], held: Held | None) -> None:
        """After a step: note times, write rows of members that ended and of those that go on, save a checkpoint."""
        training = self.training
        for k in (*training.living, *fallen):
            training.members[k].seconds = training.seconds
        for k in fallen:
            self._look(k, diverged=True)
        shown.step(training.step)
        if self.sessions[0]._due(self.watching.log_every, training.step):
            self._log(shown, training.living)
            training.end([k for k in training.living if self.sessions[k]._stops()], Status.STOPPED)
        if self.sessions[0]._due(self.checkpoint_every, training.step):
            self._save(held)

    def _log(self, shown: Display, members: Sequence[int]) -> None:
        for k in members:
            self._look(k)
        if members and (self.watching.writers or self.watching.progress):
            rows = [session.rows[-1] for session in self.sessions]
            step = max(row["step"] for row in rows)
            for writer in self.watching.writers:
                writer.write({"step": step, **beside([row if row["step"] == step else {} for row in rows])})
            shown.row({**rows[members[0]], "step": step})

    def _look(self, k: int, diverged: bool = False) -> None:
        game = self.training.game.put(k, self.training.members[k].w)
        with game.undisturbed():
            self.sessions[k]._look(diverged=diverged)

    def _save(self, held: Held | None) -> None:
        if held is None or self.saved == self.training.step:
            return
        self.saved = self.training.step
        with held.writing():
            snapshot, log = self.training.snapshot(), seal(self.log)
            checkpoint.write(held.folder, snapshot, self.identity, versions(), self.saving.keep, log)


@dataclasses.dataclass(frozen=True)
class _Named:
    """One member's log: its rows, marked with its seed, go to the shared log and to its own file where there is one."""

    seed: int
    log: list[Row]
    file: JsonLines | None
    held: Held | None

    def write(self, row: Row) -> None:
        """Keep one row of this seed, and append it to the seed's file where there is one."""
        self.log.append({"step": row["step"], "seed": self.seed, **row})
        if self.file is not None and self.held is not None:
            with self.held.writing():
                self.file.write(self.log[-1])

    def close(self) -> None:
        """Close the shared file, once and for all members."""
        if self.file is not None:
            self.file.close()


def _refuse_options(stepping: Stepping, watching: Watching) -> None:
    refused = {
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
