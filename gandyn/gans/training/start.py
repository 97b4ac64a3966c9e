"""From a config to a run in a folder, in one process or, under torchrun, in several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ...results import Status
from . import checkpoint, distributed
from .config import Config
from .hostile import CheckpointError, canonical, write_atomically
from .lock import locked
from .log import TensorBoard, Writer
from .loop import train
from .measures import measure
from .run import CONFIG, TrainingRun


def start(
    config: Config,
    folder: str | Path | None = None,
    resume: bool = True,
    tensorboard: bool = False,
    progress: Any = False,
    writers: Sequence[Writer] = (),
) -> tuple[TrainingRun | None, int | None]:
    """Run a config.

    Returns:
        The run, None in all processes but the first; and the number of the signal that interrupted it, or None.

    Raises:
        GandynError: for a config that cannot be built, and a folder with the run of another.
    """
    torch.set_num_threads(config.train.threads)
    game, rule = config.build()
    with distributed.joined() as group:
        game = game if group is None else distributed.DistributedGame(game, group)
        folder = None if folder is None else Path(folder)
        chief = group is None or group.rank == 0
        table = config.train
        with locked(folder if chief else None):
            if folder is not None and chief:
                _keep_config(config, folder, resume)
                writers = [*writers, *([TensorBoard(folder / "tensorboard")] if tensorboard else [])]
            run = train(
                game,
                rule,
                table.steps,
                seed=config.game.seed,
                average=table.average,
                precision=table.precision,
                compile=table.compile,
                metrics=measure(distributed.whole(game), config.metrics.names, config.metrics.samples),
                log_every=table.log_every,
                metrics_every=config.metrics.every,
                samples_every=table.samples_every,
                checkpoint_every=table.checkpoint_every,
                keep=table.keep,
                folder=folder,
                resume=resume,
                progress=progress,
                writers=writers,
                identity={"config": config.to_dict(), "config_sha256": config.sha256},
            )
    return (run if chief else None), run.signal if run.status is Status.INTERRUPTED else None


def _keep_config(config: Config, folder: Path, resume: bool) -> None:
    """The folder's own copy of the config, from which `TrainingRun.load` builds the game.

    Raises:
        CheckpointError: where the folder has the run of another.
    """
    path = folder / CONFIG
    if resume and path.exists() and checkpoint.listed(folder):
        other = Config.read(path).to_dict()
        different = _different(config.to_dict(), other)
        if different:
            raise CheckpointError(
                f"{folder} has the run of another config ({different})", "the same config", "--out FOLDER, or --fresh"
            )
    write_atomically(path, canonical(config.to_dict()))


def _different(ours: dict[str, Any], theirs: dict[str, Any], prefix: str = "") -> str:
    """The first key that differs, with both values."""
    for key in sorted({*ours, *theirs}):
        a, b = ours.get(key), theirs.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            inner = _different(a, b, f"{prefix}{key}.")
            if inner:
                return inner
        elif a != b:
            return f"{prefix}{key}: {b!r} there, {a!r} here"
    return ""
