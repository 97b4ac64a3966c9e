"""The loop of a training run: steps, rows of the log, pictures, checkpoints, and how it ends."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import writing
from ...results import Result, Status
from ...types import Array
from ..monitor import Monitor
from . import checkpoint
from .display import display
from .identity import sealed
from .lock import Held
from .log import JsonLines, Row, cut, seal
from .observe import undisturbed
from .options import Saving, Watching
from .run import LOG, RESULT, TrainingRun
from .sample_grid import SampleGrid
from .state import Training, tell_difference, versions
from .stop import Stop
from .untrusted_files import write_atomically

__all__ = ["Session", "Training", "versions"]


class Session:
    """One call of `train`: from where the training stands to its last step.

    It takes `steps` in all, counted from the start of the training. `identity` is what checkpoints say the run is,
    `rows` the log so far, and `held` the run's folder, or None where this process writes nothing.
    """

    def __init__(
        self,
        training: Training,
        steps: int,
        watching: Watching,
        saving: Saving,
        identity: dict[str, object],
        rows: list[Row],
        held: Held | None,
    ) -> None:
        self.training, self.steps, self.watching, self.saving = training, steps, watching, saving
        self.identity, self.rows, self.held = identity, rows, held
        self.monitor = watching.monitor or Monitor()
        for row in rows:
            self.monitor.update(row)
        self.metrics_every = watching.metrics_every or 10 * watching.log_every
        self.checkpoint_every = saving.checkpoint_every or max(steps // 10, 1)

    def run(self) -> TrainingRun:
        """Take the steps that are left. Raises OutputError for a folder that is moved or cannot be written."""
        training, chief = self.training, getattr(self.training.game, "chief", True)
        self.display = display(self.watching.progress if chief else False, training.step, self.steps)
        self.writers = list(self.watching.writers)
        if self.held is not None:
            self.writers.insert(0, JsonLines(self.held.folder / LOG))
        self.began, self.before = time.perf_counter(), training.seconds
        try:
            with Stop() as stop:
                status = self._steps(stop)
        finally:
            self.display.close()
            for writer in self.writers:
                writer.close()
        ended = stop.signal if status is Status.INTERRUPTED else None
        run = TrainingRun.of(training, status, self.rows, self.monitor.findings, self.saving.place, self.steps, ended)
        if self.held is not None:
            write_result(run, self.held)
        return run

    def _due(self, every: int | None, step: int) -> bool:
        """Whether what happens every `every` steps, and at the end, happens at this step."""
        return every is not None and (step % every == 0 or step == self.steps)

    def _steps(self, stop: Stop) -> Status:
        training = self.training
        if training.step == 0 and not self.rows:
            self._look()
        elif self.rows and self.rows[-1]["step"] == training.step and self._stops():
            return Status.STOPPED  # as it was when this run was called before
        while training.step < self.steps:
            if not training.advance():
                self._tick()
                self._look(diverged=True)
                return Status.DIVERGED
            self._tick()
            self.display.step(training.step)
            if self._due(self.watching.log_every, training.step):
                self._look()
                if self._stops():
                    self._save()
                    return Status.STOPPED
            stopped = self._agreed(stop.signal is not None)
            if stopped or self._due(self.checkpoint_every, training.step):
                self._save()
            if stopped and training.step < self.steps:
                return Status.INTERRUPTED
        return Status.OK

    def _stops(self) -> bool:
        """Whether the rows so far are a reason to stop."""
        return self._agreed(self.watching.stop_when is not None and bool(self.watching.stop_when(self.rows)))

    def _agreed(self, stopped: bool) -> bool:
        """Whether to stop: where several processes train, all of them stop as soon as one is asked to."""
        agree = getattr(self.training.game, "agree", None)
        return stopped if agree is None else bool(agree(stopped))

    def _tick(self) -> None:
        self.training.seconds = self.before + time.perf_counter() - self.began

    def _look(self, diverged: bool = False) -> None:
        """A row of the log, with metrics and a picture where they are due, and what the monitor says to it."""
        training = self.training
        step = training.step
        row: Row = {"step": step, **training.observer.row(training.w, training.last_field)}
        if diverged:
            row["losses"] = dict.fromkeys(row["losses"], float("nan"))
        elif self.watching.metrics is not None and self._due(self.metrics_every, step):
            row["metrics"] = self._measure(training.w, step)
            if training.average is not None:
                row["average_metrics"] = self._measure(training.average, step)
        row["seconds"] = round(training.seconds, 3)
        self._draw(step)
        self.rows.append(row)
        with contextlib.nullcontext() if self.held is None else self.held.writing():
            for writer in self.writers:
                writer.write(row)
        self.display.row(row)
        for finding in self.monitor.update(row):
            self.display.finding(finding)

    def _measure(self, w: Array, step: int) -> dict[str, Any]:
        game = self.training.whole
        with undisturbed(game):
            return self.watching.metrics(game, w, np.random.default_rng((self.training.seed, 2, step)))  # type: ignore[misc,operator]

    def _draw(self, step: int) -> None:
        training = self.training
        if self.held is None or not self._due(self.watching.samples_every, step):
            return
        with undisturbed(training.whole):
            w = training.w if training.average is None else training.average
            grid = SampleGrid.of(training.whole, w, step)
        with self.held.writing():
            grid.save(self.held.folder / "samples" / f"step-{step:09d}.png")

    def _save(self) -> None:
        if self.held is not None:
            snapshot, folder = self.training.snapshot(), self.held.folder
            with self.held.writing():
                checkpoint.write(folder, snapshot, self.identity, versions(), self.saving.keep, seal(self.rows))


def begun(training: Any, identity: dict[str, Any], saving: Saving) -> list[Row]:
    """Go to the last checkpoint of the folder, if there is one; the rows of the log up to there."""
    folder, game = saving.place, training.game
    if folder is None:
        return []
    agree = getattr(game, "agree", bool)
    agree(False)  # where there are several processes, they wait here for each other
    paths = checkpoint.listed(folder) if saving.resume else []
    record = training.restore(paths[-1], identity) if paths else {}
    if paths:
        tell_difference(record["versions"], paths[-1])
    agree(False)
    if not getattr(game, "chief", True):
        return []
    for path in paths[:-1]:
        checkpoint.verify(path)
    return cut(folder / LOG, record) if paths else _emptied(folder)


def _emptied(folder: Path) -> list[Row]:
    """Remove the files that an earlier run left in the folder; its log then has no rows."""
    for path in [*checkpoint.listed(folder), *folder.glob("checkpoint-*.safetensors"), folder / LOG, folder / RESULT]:
        with writing(path):
            path.unlink(missing_ok=True)
    return []


def write_result(run: Result, held: Held) -> None:
    """Write how the run ended: the last file to appear in its folder."""
    text = json.dumps(sealed(run.to_dict()), indent=1, allow_nan=False)
    with held.writing():
        write_atomically(held.folder / RESULT, text.encode() + b"\n")
