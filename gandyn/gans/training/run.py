"""What a training run returns: how it ended, its log, its failures, and the networks' parameters."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from ...results import Result, Status
from ...types import Array, Counts, Game, Rule, State
from ..monitor import Finding, diagnose
from . import checkpoint
from .config import Config
from .identity import intact
from .log import Row, read_rows, seen
from .state import Training, versions
from .untrusted_files import CheckpointError, read_json

LOG = "log.jsonl"
CONFIG = "config.json"
RESULT = "result.json"


@dataclasses.dataclass(frozen=True, repr=False)
class TrainingRun(Result):
    """A training run, finished or not.

    Attributes:
        game: the `GANGame`. rule: the update rule.
        w: the last finite parameters, (d,). state: the rule's state there.
        average: exponential average of the parameters, or None.
        status: `Status.OK`, `Status.INTERRUPTED` (a signal; the same call goes on) or `Status.DIVERGED`.
        step: steps done, of `steps`.
        rows: the log. findings: failure modes, in the order in which they began.
        seconds: spent, over all its parts. counts: oracle calls.
        folder: where it lives, or None. versions: of the libraries. signal: that interrupted it, or None.
    """

    game: Any
    rule: Rule
    w: Array
    state: State
    average: Array
    status: Status
    step: int
    steps: int
    rows: list[Row]
    findings: list[Finding]
    seconds: float
    counts: Counts
    folder: Path | None = None
    versions: dict[str, str] = dataclasses.field(default_factory=dict)
    signal: int | None = None

    _data = (
        "game rule status step steps seconds gradients=counts.fields losses metrics findings versions "
        "device=game.device"
    )
    _plot = "training"

    @property
    def best_w(self) -> Array:
        """The parameters to sample with: the average where there is one."""
        return self.w if self.average is None else self.average

    @property
    def metrics(self) -> Row:
        """The last metrics measured; empty where there are none."""
        measured = [row["metrics"] for row in self.rows if row.get("metrics")]
        return measured[-1] if measured else {}

    @property
    def samples(self) -> Array:
        """64 points of the generator, always for the same latents: (64, ...)."""
        return self.sample(64)

    def sample(self, n: int, seed: int = 0) -> Array:
        """n points of the (averaged) generator, (n, ...)."""
        import numpy as np

        return self.game.sample(self.best_w, n, np.random.default_rng((seed, 3)))

    def summary(self) -> str:
        """How it ended, the last numbers, and what went wrong."""
        lines = [
            f"{self._dynamics()}: {self.status.value}",
            f"step {self.step} of {self.steps}, {self.seconds:.1f} s, {self.counts.fields:g} gradients",
        ]
        if self.losses:
            losses = ", ".join(f"{name} {_short(value)}" for name, value in self.losses.items())
            lines.append(f"losses: {losses}")
        shown = {k: v for k, v in self.metrics.items() if isinstance(v, (int, float))}
        if shown:
            lines.append("metrics: " + ", ".join(f"{name} {_short(value)}" for name, value in shown.items()))
        lines += [str(finding) for finding in self.findings] or ["no failure mode was seen"]
        return "\n".join(lines)

    def _headline(self) -> str:
        return f"{self.status.name} at step {self.step} of {self.steps}"

    @property
    def losses(self) -> Row:
        """The last row's losses by player; empty before the first step."""
        found: Row = self.rows[-1]["losses"] if self.rows else {}
        return found

    @classmethod
    def of(
        cls,
        training: Training,
        status: Status,
        rows: list[Row],
        findings: list[Finding],
        folder: Path | None,
        steps: int,
        signal: int | None = None,
    ) -> TrainingRun:
        """A run as it stands, of so many steps."""
        training.settle()
        training.game.load(training.w)
        return cls(
            training.whole, training.rule, training.w, training.state, training.average, status, training.step, steps,
            rows, findings, training.seconds, training.game.counts * 1, folder, versions(), signal,
        )  # fmt: skip

    @classmethod
    def load(cls, folder: str | Path, game: Game | None = None, rule: Rule | None = None) -> TrainingRun:
        """The run of a folder, at its last checkpoint.

        Args:
            folder: of the run. game, rule: those that it was made with; by default they are built from its config.

        Raises:
            CheckpointError: for a folder without checkpoint or config, damaged or hostile files, and those of others.
        """
        folder = Path(folder)
        paths = checkpoint.of_run(folder)
        config = None
        if game is None or rule is None:
            config = Config.read(folder / CONFIG)
            game, rule = config.build()
        training = Training(game, rule)
        record = training.restore(paths[-1], identity=None)
        told = record["identity"].get("config_sha256")
        if config is not None and told is not None and config.sha256 != told:
            given = f"{CONFIG} in {folder}, which is not the config of {paths[-1].name}"
            raise CheckpointError(given, "the config that the run was made with", "restore it")
        for path in paths[:-1]:
            checkpoint.verify(path)
        rows = read_rows(folder / LOG, training.step)
        known = seen(rows, record, folder / LOG)
        status, steps = _ending(folder / RESULT, training.step)
        rows = rows if status is Status.DIVERGED else known
        return cls.of(training, status, rows, diagnose(rows), folder, steps)


def _ending(path: Path, step: int) -> tuple[Status, int]:
    """How a run ended and its steps, by a result of this checkpoint. Raises CheckpointError for a changed file."""
    result = read_result(path)
    if result is None:
        return Status.INTERRUPTED, step  # killed before it ended
    if result.get("status") not in Status.__members__:
        raise _not_as_written(path)
    if result["step"] < step:  # of an earlier call; the one after it was killed
        return Status.INTERRUPTED, max(step, result["steps"])
    return Status[result["status"]], result["steps"]


def read_result(path: Path) -> dict[str, Any] | None:
    """How a run ended, as its folder says; None if it was killed. Raises CheckpointError for a changed file."""
    if not path.exists():
        return None
    result = read_json(path, "the result")
    if not isinstance(result, dict) or not intact(result):
        raise _not_as_written(path)
    return result


def _not_as_written(path: Path) -> CheckpointError:
    return CheckpointError(f"{path.name}, which is not as it was written", "the result of the run", "delete it")


def _short(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
