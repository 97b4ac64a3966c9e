"""What a training run is told beside its game, rule and steps: how it steps, what it watches, what it saves."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...doors import check_fields, seed, several, shown
from ...errors import ParameterError, made
from ..monitor import Monitor
from .early import EarlyStopping
from .log import Row, Writer
from .measures import Metrics, default_metrics
from .measures import registry as measures

DISPLAYED = ("step", "row", "finding", "close")


@dataclasses.dataclass(frozen=True)
class Stepping:
    """Options of a training run that change its numbers: seed, schedule, average, precision and others.

    Attributes:
        seed: of batches, metrics and probes.
        seeds: several of them, whose runs are computed at once; 64 stands for range(64). See `train`.
        schedule: factor of the step sizes as a function of the step, `gd.rules.schedule.Cosine(steps)` for instance.
        average: decay of an exponential average of the parameters (`gd.gans.EMA`), .999 for instance.
        precision: "float32", or "bfloat16" for matrix products and convolutions in it, parameters in float32.
        compile: compile both networks (torch.compile); not for rules and penalties that differentiate twice.
        capture: replay each step as one CUDA graph (`gd.gans.capture`): small networks on a device spend most of their
            time on launching kernels. Not for rules that branch on numbers, nor for dropout and penalties that draw.
    """

    seed: int = 0
    schedule: Callable[[Any], Any] | None = None
    average: float | None = None
    precision: str = "float32"
    compile: bool = False
    capture: bool = False
    seeds: Any = None

    def __post_init__(self) -> None:
        check_fields(self)
        if self.seeds is not None:
            object.__setattr__(self, "seeds", _several_seeds(self.seeds))
            if self.seed != 0:
                raise ParameterError(f"seed={self.seed} beside seeds", "one of them", "leave seed out")


@dataclasses.dataclass(frozen=True)
class Watching:
    """Options of a training run that change none of its numbers: what is measured, and every how many steps.

    The last step is measured whatever its number.

    Attributes:
        metrics: function (game, w, NumPy generator) -> numbers; "auto" for what the data say of themselves; or None.
        log_every: between rows of the log.
        metrics_every: between measurements, by default at every tenth row.
        samples_every: between pictures of samples, by default never.
        monitor: of failure modes; a fresh one by default.
        stop_when: function of the rows so far that answers with a reason to stop, or "": `gd.gans.EarlyStopping(...)`.
        progress: True for a bar or lines on stderr.
        writers: take every row of the log beside the file, such as `TensorBoard(folder)`.
    """

    metrics: Metrics | str | None = "auto"
    log_every: int = 50
    metrics_every: int | None = None
    samples_every: int | None = None
    monitor: Monitor | None = None
    stop_when: Callable[[Sequence[Row]], str] | None = None
    progress: Any = False
    writers: Sequence[Writer] = ()

    def __post_init__(self) -> None:
        check_fields(self)
        _refuse_below_one(self, "log_every", "metrics_every", "samples_every")
        builds = [entry.build for entry in measures]
        function = callable(self.metrics) and not isinstance(self.metrics, type) and self.metrics not in builds
        if self.metrics not in ("auto", None) and not function:
            fix = made(self.metrics, "metrics=gd.gans.gap_metrics()")
            raise ParameterError(f"metrics={shown(self.metrics)}", '"auto", None or a function (game, w, rng)', fix)
        if self.stop_when is not None and (not callable(self.stop_when) or isinstance(self.stop_when, type)):
            given, fix = f"stop_when={shown(self.stop_when)}", made(self.stop_when, "gd.gans.EarlyStopping(...)")
            raise ParameterError(given, "a function of the rows that answers with a text", fix)
        if self.monitor is not None and not isinstance(self.monitor, Monitor):
            fix = made(self.monitor, "gd.gans.Monitor()")
            raise ParameterError(f"monitor={shown(self.monitor)}", "a gd.gans.Monitor, or None", fix)
        if not isinstance(self.writers, (list, tuple)) or not all(_takes(w, "write", "close") for w in self.writers):
            raise ParameterError(
                f"writers={self.writers!r}",
                "a list of objects with write(row) and close()",
                "writers=[TensorBoard(folder)]",
            )
        if not isinstance(self.progress, (bool, type(None))) and not _takes(self.progress, *DISPLAYED):
            raise ParameterError(
                f"progress={self.progress!r}", f"True, False, or an object with {', '.join(DISPLAYED)}", "progress=True"
            )

    def on(self, game: Any) -> Watching:
        """These options for one game, whose data say what "auto" is.

        Raises:
            ParameterError: where measurements are asked for, or stopping by them, and there is nothing to measure.
        """
        metrics = default_metrics(game) if self.metrics == "auto" else self.metrics
        asked = f"metrics_every={self.metrics_every}" if self.metrics_every and self.metrics else ""
        asked = "an EarlyStopping" if isinstance(self.stop_when, EarlyStopping) else asked
        if metrics is None and asked:
            none = f"of {game.name}, of whose data none are known" if self.metrics else "with metrics=None"
            fix = "metrics=gd.gans.gap_metrics(), or a function (game, w, rng) -> dict of numbers"
            raise ParameterError(f"{asked} {none}", "metrics to measure", fix)
        return dataclasses.replace(self, metrics=metrics)


@dataclasses.dataclass(frozen=True)
class Saving:
    """Options of a training run: where its files are written, and which checkpoints are kept.

    Attributes:
        folder: of its files; nothing is written without one.
        resume: False starts anew in a folder that has a run.
        checkpoint_every: in steps, by default ten times a run, and at its last step.
        keep: checkpoints that stay.
        identity: plain data that a run must have in common with a checkpoint that it goes on from, such as its config.
    """

    folder: str | Path | None = None
    resume: bool = True
    checkpoint_every: int | None = None
    keep: int = 2
    identity: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        _refuse_below_one(self, "checkpoint_every", "keep")
        if self.identity is not None and not isinstance(self.identity, Mapping):
            raise ParameterError(
                f"identity={self.identity!r}", "a dict of plain data, or None", 'identity={"data": "v2"}'
            )
        if self.folder is not None:
            if not isinstance(self.folder, (str, Path)):
                raise ParameterError(f"folder={self.folder!r}", "a path", 'folder="runs/ring"')
            # Absolute, so that a program that changes its working folder still writes into this one.
            object.__setattr__(self, "folder", Path(self.folder).absolute())

    @property
    def place(self) -> Path | None:
        """The folder as an absolute path."""
        return None if self.folder is None else Path(self.folder)


def _several_seeds(value: object) -> tuple[int, ...]:
    """Different seeds as a tuple; n stands for range(n). Raises ParameterError for none, repeated or other ones."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        value = range(several("seeds", value))
    if isinstance(value, (str, Mapping)) or not isinstance(value, (Sequence, np.ndarray)) or not len(value):
        raise ParameterError(f"seeds={shown(value)}", "a number of seeds, or a list of them", "seeds=range(64)")
    found = tuple(seed(f"seeds[{k}]", one) for k, one in enumerate(value))
    if len(set(found)) < len(found) or not all(isinstance(one, int) for one in found):
        raise ParameterError(f"seeds={shown(value)}", "different whole numbers", "seeds=range(64)")
    return found


def refuse_idle(watching: Watching, saving: Saving) -> None:
    """Refuse pictures that would be drawn nowhere. Raises ParameterError for samples_every without a folder."""
    if watching.samples_every is not None and saving.folder is None:
        given = f"samples_every={watching.samples_every} and no folder"
        raise ParameterError(given, "a folder for the pictures", 'folder="runs/ring"')


def _takes(listener: object, *methods: str) -> bool:
    """Whether it is an object (no class) with these methods."""
    return not isinstance(listener, type) and all(callable(getattr(listener, name, None)) for name in methods)


def _refuse_below_one(options: object, *names: str) -> None:
    for name in names:
        value = getattr(options, name)
        if value is not None and value < 1:
            raise ParameterError(f"{name}={value!r}", "a whole number >= 1", f"{name}=100")
