"""`gd.gans.train`, and what it starts: a `Run`, made of a game, a rule and options, or of a config."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import torch

from ...doors import door, grouped
from ...errors import DomainError, ParameterError
from ...results import Status
from ...rules.schedule import Scheduled
from ...types import Game, Rule
from ..ensemble import Ensemble
from . import checkpoint, distributed
from .config import Config
from .distributed import whole
from .identity import describe, refuse_nameless
from .lock import locked
from .log import TensorBoard, Writer
from .loop import Session, begun
from .measures import measure
from .options import Saving, Stepping, Watching, refuse_idle
from .run import CONFIG, TrainingRun
from .seeded_runs import SeededRuns
from .seeds import SeededTraining
from .state import Training
from .untrusted_files import CheckpointError, canonical, write_atomically

GROUPS = {"stepping": Stepping, "watching": Watching, "saving": Saving}


@overload
def train(game: Game, rule: Rule, steps: int, *, seeds: object, **options: object) -> SeededRuns: ...


@overload
def train(game: Game, rule: Rule, steps: int, **options: object) -> TrainingRun: ...


@door
def train(game: Game, rule: Rule, steps: int, **options: object) -> TrainingRun | SeededRuns:
    """Train a GAN with any rule of the catalogue.

    A run is a function of the game, the rule and the seed. With a folder it is logged (`log.jsonl`), drawn
    (`samples/`) and saved (`checkpoint-*`); the same call on the same folder goes on from the last checkpoint to the
    same numbers, on a CPU bit for bit, whatever killed it. SIGINT, SIGTERM and SIGHUP let the step finish, save, and
    return with `Status.INTERRUPTED`. Parameters that are no longer finite end the run with `Status.DIVERGED` and the
    last ones that were.

    With `seeds=range(64)` the runs of 64 seeds are computed at once. Member k starts at `game.w0`, draws the batches,
    latents, dropout and penalties' random numbers of `train(..., seed=seeds[k])`, and its parameters, rows and findings
    are those of that run to rounding. A member that diverges, or stops early, stays where it is; the others go on. For
    members that start at different networks, or have data of their own, give a `gd.gans.Ensemble` of games. Refused by
    name: rules that solve linear systems, layers that draw random numbers other than dropout, and what acts on one run
    (samples_every, capture, compile, precision, monitor). A folder holds all members' rows, each with its seed, and
    their checkpoints side by side; the same call on it goes on to the same numbers, bit for bit on a CPU.

    Args:
        game: a `GANGame`, perhaps a `DistributedGame` around one, or an `Ensemble`.
        rule: the update rule.
        steps: how many, counted from the start of the run and not from where it goes on.
        options: how steps are taken (`gd.gans.Stepping`): seed, seeds, schedule, average, precision, compile, capture;
            what is watched (`gd.gans.Watching`): metrics, log_every, metrics_every, samples_every, monitor, stop_when,
            progress, writers; what is saved (`gd.gans.Saving`): folder, resume, checkpoint_every, keep, identity.
            Each is given by its own name, or in its group: `saving=gd.gans.Saving("runs/ring", keep=3)`.

    Returns:
        A `TrainingRun`; with several seeds `SeededRuns`, whose `w` is (K, d).

    Raises:
        ParameterError: for numbers out of range, and for options without effect: metrics_every or an `EarlyStopping`
            where there is nothing to measure, samples_every without a folder.
        CallError: for an option that there is not.
        DomainError: for a game outside the rule's domain.
        CheckpointError: for a folder with the run of another game, rule, seed or config, or with damaged files.
        OutputError: for a folder that cannot be written, in which another process trains, or that is moved meanwhile.

    Example:
        >>> import gandyn as gd
        >>> game = gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(8,)), "nonsaturating", data=gd.gans.ring(), batch_size=16)
        >>> run = gd.gans.train(game, gd.rules.AlternatingGD(0.05), 20, log_every=10)
        >>> run.status.name, [row["step"] for row in run.rows]
        ('OK', [0, 10, 20])
        >>> gd.gans.train(game, gd.rules.AlternatingGD(0.05), 20, seeds=range(3)).w.shape
        torch.Size([3, 75])
    """
    groups = grouped(train, GROUPS, options)
    if not isinstance(game, Ensemble) and not hasattr(whole(game), "networks"):
        fix = "gd.gans.GANGame(generator, discriminator, data=...); gd.iterate(game, rule, start, steps) for others"
        raise ParameterError(f"train of {game.name}", "a game of networks", fix)
    if groups[0].seeds is not None or isinstance(game, Ensemble):
        return SeededTraining(game, rule, steps, *groups).run()
    refuse_idle(*groups[1:])
    return Run(game, rule, steps, *groups).start()


@dataclasses.dataclass(frozen=True)
class Run:
    """A training run that has not started: everything that decides on its numbers, its log and its files.

    Attributes:
        game, rule, steps: as `train` takes them.
        stepping, watching, saving: the options in their groups.
        config: that it was made of, or None; the folder keeps a copy.

    Example:
        >>> run = Run.of(Config.find("ring-alternating-adam").replace(steps=2, batch=8), keep=1)
        >>> run.saving.keep, run.start().step
        (1, 2)
    """

    game: Any
    rule: Rule
    steps: int
    stepping: Stepping = dataclasses.field(default_factory=Stepping)
    watching: Watching = dataclasses.field(default_factory=Watching)
    saving: Saving = dataclasses.field(default_factory=Saving)
    config: Config | None = None

    @classmethod
    def of(cls, config: Config, group: distributed.Group | None = None, **options: object) -> Run:
        """The run of a config, which is built here and nowhere else.

        Args:
            config: all that decides on the numbers, the metrics and the intervals.
            group: the processes that share it. options: folder, resume, progress, writers.

        Raises:
            GandynError: for a config that cannot be built.
        """
        torch.set_num_threads(config.train.threads)
        game, rule = config.build()
        table, metrics = config.train, measure(game, config.metrics.names, config.metrics.samples)
        told: dict[str, Any] = {"average": table.average, "precision": table.precision, "compile": table.compile}
        told |= {"metrics": metrics, "metrics_every": config.metrics.every if metrics else None}
        told |= {"log_every": table.log_every}
        told |= {"samples_every": table.samples_every, "checkpoint_every": table.checkpoint_every, "keep": table.keep}
        told |= {"seed": config.game.seed, "identity": {"config": config.to_dict(), "config_sha256": config.sha256}}
        shared = game if group is None else distributed.DistributedGame(game, group)
        stepping, watching, saving = grouped(train, GROUPS, told | options)
        return cls(shared, rule, table.steps, stepping, watching, saving, config)

    def start(self) -> TrainingRun:
        """Train, from the last checkpoint of the folder where there is one.

        Raises:
            GandynError: as `train`.
        """
        stepping, saving = self.stepping, self.saving
        if stepping.seeds is not None:
            raise DomainError("several seeds in a Run", "one", "gd.gans.train(game, rule, steps, seeds=range(64))")
        rule = self.rule if stepping.schedule is None else Scheduled(self.rule, stepping.schedule)
        training = Training(self.game, rule, stepping)
        identity = {**describe(self.game, rule, stepping), **(saving.identity or {})}
        if saving.place is not None:
            refuse_nameless(identity)
        watching = self.watching.on(whole(self.game))
        with locked(saving.place if self.chief else None) as held:
            if held is not None and self.config is not None:
                _keep_config(self.config, held.folder, saving.resume)
            rows = begun(training, identity, saving)
            return Session(training, self.steps, watching, saving, identity, rows, held).run()

    @property
    def chief(self) -> bool:
        """Whether this process writes the files."""
        return bool(getattr(self.game, "chief", True))


def start(
    config: Config,
    folder: str | Path | None = None,
    resume: bool = True,
    tensorboard: bool = False,
    progress: object = False,
    writers: Sequence[Writer] = (),
) -> tuple[TrainingRun | None, int | None]:
    """Run a config, in one process or, under torchrun, in several. Returns the run, None in all processes but the
    first; and the number of the signal that interrupted it, or None. Raises GandynError for a config that cannot be
    built, and a folder with the run of another.
    """
    with distributed.joined() as group:
        if tensorboard and folder is not None and (group is None or group.rank == 0):
            writers = [*writers, TensorBoard(Path(folder) / "tensorboard")]
        run = Run.of(config, group, folder=folder, resume=resume, progress=progress, writers=writers)
        ended = run.start()
    return (ended if run.chief else None), ended.signal if ended.status is Status.INTERRUPTED else None


def _keep_config(config: Config, folder: Path, resume: bool) -> None:
    """The folder's copy of the config, for `TrainingRun.load`. Raises CheckpointError for another run's folder."""
    path = folder / CONFIG
    if resume and path.exists() and checkpoint.listed(folder):
        different = config.difference(Config.read(path))
        if different:
            raise CheckpointError(
                f"{folder} has the run of another config ({different})", "the same config", "--out FOLDER, or --fresh"
            )
    write_atomically(path, canonical(config.to_dict()))
