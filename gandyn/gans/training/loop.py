"""`gd.gans.train`: any rule on a GAN, step by step, logged, watched, and saved so that a killed run goes on exactly."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...doors import door
from ...errors import ParameterError
from ...results import Status
from ...rules.schedule import Scheduled
from ...types import Rule
from ..monitor import Monitor
from . import checkpoint
from .display import display
from .distributed import whole
from .hostile import write_atomically
from .identity import describe, refuse_nameless, sealed
from .lock import locked, making
from .log import JsonLines, Row, Writer, cut, seal
from .measures import Metrics, default_metrics
from .observe import undisturbed
from .run import LOG, RESULT, TrainingRun
from .samples import SampleGrid
from .state import Training, versions
from .stop import Stop

__all__ = ["Options", "Training", "describe", "train", "versions"]


@door
def train(
    game: Any,
    rule: Rule,
    steps: int,
    *,
    seed: int = 0,
    schedule: Callable[[Any], Any] | None = None,
    average: float | None = None,
    precision: str = "float32",
    compile: bool = False,
    capture: bool = False,
    metrics: Metrics | str | None = "auto",
    log_every: int = 50,
    metrics_every: int | None = None,
    samples_every: int | None = None,
    checkpoint_every: int | None = None,
    keep: int = 2,
    folder: str | Path | None = None,
    resume: bool = True,
    monitor: Monitor | None = None,
    stop_when: Callable[[Sequence[Row]], str] | None = None,
    progress: Any = False,
    writers: Sequence[Writer] = (),
    identity: dict[str, Any] | None = None,
) -> TrainingRun:
    """Train a GAN with any rule of the catalogue.

    A run is a function of the game, the rule and the seed. With a folder it is logged (`log.jsonl`), drawn
    (`samples/`) and saved (`checkpoint-*`); the same call on the same folder goes on from the last checkpoint to the
    same numbers, on a CPU bit for bit, whatever killed it. SIGINT and SIGTERM let the step finish, save, and return
    with `Status.INTERRUPTED`. Parameters that are no longer finite end the run with `Status.DIVERGED` and the last ones
    that were.

    Args:
        game: a `GANGame`, perhaps a `DistributedGame` around one. rule: the update rule.
        steps: how many, counted from the start of the run and not from where it goes on.
        seed: of batches, metrics and probes.
        schedule: factor of the step sizes as a function of the step, `gd.rules.schedule.Cosine(steps)` for instance.
        average: decay of an exponential average of the parameters (`gd.gans.EMA`), .999 for instance.
        precision: "float32", or "bfloat16" for matrix products and convolutions in it, parameters in float32.
        compile: compile both networks (torch.compile); not for rules and penalties that differentiate twice.
        capture: replay each step as one CUDA graph (`gd.gans.capture`): small networks on a device spend most of their
            time on launching kernels. Not for rules that branch on numbers, nor for dropout and penalties that draw.
        metrics: function (game, w, NumPy generator) -> numbers; "auto" for what the data say of themselves; or None.
        log_every, metrics_every, samples_every, checkpoint_every: in steps. By default metrics every tenth row of the
            log, pictures never, checkpoints ten times a run. The last step has all of them.
        keep: checkpoints that stay.
        folder: where the run lives; nothing is written without.
        resume: False starts anew in a folder that has a run.
        monitor: of failure modes; a fresh one by default.
        stop_when: function of the rows so far that answers with a reason to stop, or "": `gd.gans.EarlyStopping(...)`.
        progress: True for a bar or lines on stderr.
        writers: take every row of the log beside the file, such as `TensorBoard(folder)`.
        identity: plain data that a run must have in common with a checkpoint that it goes on from, such as its config.

    Returns:
        A `TrainingRun`.

    Raises:
        ParameterError: for numbers out of range. DomainError: for a game outside the rule's domain.
        CheckpointError: for a folder with the run of another game, rule, seed or config, or with damaged files.

    Example:
        >>> import gandyn as gd
        >>> game = gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(8,)), "nonsaturating", data=gd.gans.ring(), batch_size=16)
        >>> run = gd.gans.train(game, gd.rules.AlternatingGD(0.05), 20, log_every=10)
        >>> run.status.name, [row["step"] for row in run.rows]
        ('OK', [0, 10, 20])
    """
    options = Options(
        steps, log_every, metrics_every, samples_every, checkpoint_every, keep, None if folder is None else Path(folder)
    )
    rule = rule if schedule is None else Scheduled(rule, schedule)
    training = Training(game, rule, seed=seed, average=average, precision=precision, compiled=compile, capture=capture)
    identity = {**describe(game, rule, seed, average, precision), **(identity or {})}
    if options.folder is not None:
        refuse_nameless(identity)
    if metrics == "auto":
        metrics = default_metrics(whole(game))
    elif metrics is not None and not callable(metrics):
        raise ParameterError(f"metrics={metrics!r}", '"auto", None or a function', "metrics=None")
    with locked(options.folder if getattr(game, "chief", True) else None):
        rows = _begin(training, options.folder, resume, identity)
        session = _Session(training, options, metrics, monitor or Monitor(), list(writers), identity, rows, stop_when)
        return session.run(progress)


@dataclasses.dataclass(frozen=True)
class Options:
    """What happens how often, in steps."""

    steps: int
    log_every: int
    metrics_every: int | None
    samples_every: int | None
    checkpoint_every: int | None
    keep: int
    folder: Path | None

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, least = getattr(self, field.name), 0 if field.name == "steps" else 1
            if field.name == "folder" or (value is None and field.name not in ("steps", "log_every", "keep")):
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ParameterError(f"{field.name}={value!r}", f"a whole number >= {least}", f"{field.name}=100")
        object.__setattr__(self, "metrics_every", self.metrics_every or 10 * self.log_every)
        object.__setattr__(self, "checkpoint_every", self.checkpoint_every or max(self.steps // 10, 1))

    def due(self, what: int | None, step: int) -> bool:
        """Whether a thing that happens every `what` steps happens at this one."""
        return what is not None and (step % what == 0 or step == self.steps)


# --- the loop --------------------------------------------------------------------------------------------------------


def _begin(training: Training, folder: Path | None, resume: bool, identity: dict[str, Any]) -> list[Row]:
    """Go to the last checkpoint of the folder, if there is one; the rows of the log up to there."""
    if folder is None:
        return []
    chief, agree = getattr(training.game, "chief", True), getattr(training.game, "agree", bool)
    agree(False)  # where there are several processes, they wait here for each other
    paths = checkpoint.listed(folder) if resume else []
    if paths:
        record = training.restore(paths[-1], identity)
    agree(False)
    if not chief:
        return []
    if paths:
        for path in paths[:-1]:
            checkpoint.verify(path)
        return cut(folder / LOG, record)
    for path in [*checkpoint.listed(folder), *folder.glob("checkpoint-*.safetensors"), folder / LOG, folder / RESULT]:
        with making(path):
            path.unlink(missing_ok=True)
    return []


@dataclasses.dataclass
class _Session:
    """One call of `train`."""

    training: Training
    options: Options
    metrics: Metrics | None
    monitor: Monitor
    writers: list[Writer]
    identity: dict[str, Any]
    rows: list[Row]
    stop_when: Callable[[Sequence[Row]], str] | None = None
    chief: bool = True

    def run(self, progress: Any) -> TrainingRun:
        """From where the training stands to its last step."""
        training, options = self.training, self.options
        self.chief = bool(getattr(training.game, "chief", True))
        for row in self.rows:
            self.monitor.update(row)
        self.display = display(progress if self.chief else False, training.step, options.steps)
        if options.folder is not None and self.chief:
            self.writers = [JsonLines(options.folder / LOG), *self.writers]
        self.began, self.before = time.perf_counter(), training.seconds
        try:
            with Stop() as stop:
                status = self._steps(stop)
        finally:
            self.display.close()
            for writer in self.writers:
                writer.close()
        ended = stop.signal if status is Status.INTERRUPTED else None
        run = training.result(status, self.rows, self.monitor.findings, options.folder, options.steps, ended)
        if options.folder is not None and self.chief:
            text = json.dumps(sealed(run.to_dict()), indent=1, allow_nan=False)
            write_atomically(options.folder / RESULT, text.encode() + b"\n")
        return run

    def _steps(self, stop: Stop) -> Status:
        training, options = self.training, self.options
        if training.step == 0 and not self.rows:
            self._look()
        elif self.rows and self.rows[-1]["step"] == training.step and self._stops():
            return Status.STOPPED  # as it was when this run was called before
        while training.step < options.steps:
            if not training.advance():
                self._tick()
                self._look(diverged=True)
                return Status.DIVERGED
            self._tick()
            self.display.step(training.step)
            if options.due(options.log_every, training.step):
                self._look()
                if self._stops():
                    self._save()
                    return Status.STOPPED
            stopped = self._agreed(stop.signal is not None)
            if stopped or options.due(options.checkpoint_every, training.step):
                self._save()
            if stopped and training.step < options.steps:
                return Status.INTERRUPTED
        return Status.OK

    def _stops(self) -> bool:
        """Whether the rows so far are a reason to stop."""
        return self._agreed(self.stop_when is not None and bool(self.stop_when(self.rows)))

    def _agreed(self, stopped: bool) -> bool:
        """Several processes stop together or not at all."""
        agree = getattr(self.training.game, "agree", None)
        return stopped if agree is None else bool(agree(stopped))

    def _tick(self) -> None:
        self.training.seconds = self.before + time.perf_counter() - self.began

    def _look(self, diverged: bool = False) -> None:
        """A row of the log, with metrics and a picture where they are due, and what the monitor says to it."""
        training, options = self.training, self.options
        step = training.step
        row: Row = {"step": step, **training.observer.row(training.w, training.last_field)}
        if diverged:
            row["losses"] = dict.fromkeys(row["losses"], float("nan"))
        elif self.metrics is not None and options.due(options.metrics_every, step):
            row["metrics"] = self._measure(training.w, step)
            if training.average is not None:
                row["average_metrics"] = self._measure(training.average, step)
        row["seconds"] = round(training.seconds, 3)
        self._draw(step)
        self.rows.append(row)
        for writer in self.writers:
            writer.write(row)
        self.display.row(row)
        for finding in self.monitor.update(row):
            self.display.finding(finding)

    def _measure(self, w: Any, step: int) -> dict[str, Any]:
        game = self.training.whole
        with undisturbed(game):
            return self.metrics(game, w, np.random.default_rng((self.training.seed, 2, step)))  # type: ignore[misc]

    def _draw(self, step: int) -> None:
        options, training = self.options, self.training
        if options.folder is None or not self.chief or not options.due(options.samples_every, step):
            return
        with undisturbed(training.whole):
            w = training.w if training.average is None else training.average
            grid = SampleGrid.of(training.whole, w, step)
        grid.save(options.folder / "samples" / f"step-{step:09d}.png")

    def _save(self) -> None:
        options = self.options
        if options.folder is not None and self.chief:
            snapshot = self.training.snapshot()
            checkpoint.write(options.folder, snapshot, self.identity, versions(), options.keep, seal(self.rows))
