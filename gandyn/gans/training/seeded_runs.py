"""What a training with several seeds returns: the members' runs, side by side and in bands."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...results import BAND, Result, Status
from ...types import Array, Rule
from ...worlds import object_vector
from ..ensemble import Ensemble
from ..monitor import Finding, diagnose
from . import checkpoint
from .log import Row, read_rows, seen
from .options import Stepping
from .run import LOG, RESULT, TrainingRun, read_result
from .seeded_state import SeededState
from .state import versions
from .untrusted_files import CheckpointError


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
        seconds: spent on all of them. folder: where they live, or None. signal: that interrupted them, or None.
    """

    game: Ensemble
    rule: Rule
    seeds: tuple[int, ...]
    runs: tuple[MemberRun, ...]
    seconds: float
    folder: Path | None = None
    signal: int | None = None

    _data = "game rule seeds status step steps seconds losses metrics findings"
    _plot = "training"

    @classmethod
    def of(
        cls,
        training: SeededState,
        logs: Sequence[list[Row]],
        findings: Sequence[list[Finding]],
        steps: int,
        folder: Path | None,
        signal: int | None = None,
    ) -> SeededRuns:
        """The runs as they stand, each with its log and findings, of so many steps."""
        runs = [
            MemberRun(
                m.game, training.rule, m.w, training.state_of(k), m.average, m.status, m.step, steps,
                logs[k], findings[k], m.seconds, m.counts, folder, versions(), signal,
                ensemble=training.game, member=k,
            )
            for k, m in enumerate(training.members)
        ]  # fmt: skip
        training.game.put(0, training.members[0].w)
        return cls(training.game, training.rule, training.seeds, tuple(runs), training.seconds, folder, signal)

    @classmethod
    def load(cls, folder: str | Path, game: object, rule: Rule) -> SeededRuns:
        """The runs of a folder, at its last checkpoint.

        Args:
            folder: of the runs. game, rule: those that they were made with.

        Raises:
            CheckpointError: for a folder without checkpoint, with the run of one seed, or with damaged files.
        """
        folder = Path(folder)
        path = checkpoint.of_run(folder)[-1]
        record = checkpoint.read_record(path)
        if "seeds" not in record["identity"]:
            raise CheckpointError(f"{folder} has the run of one seed", "one of several", "TrainingRun.load(folder)")
        seeds, average = (record["identity"].get(key) for key in ("seeds", "average"))
        training = SeededState(game, rule, Stepping(seeds=seeds, average=average))
        training.restore(path, None)
        rows = by_seed(seen(read_rows(folder / LOG, training.step), record, folder / LOG), seeds)
        result, steps = read_result(folder / RESULT), training.step
        if result is not None and max(result["step"]) >= steps:  # otherwise of an earlier call
            steps = result["steps"]
        if result is None or training.step < steps:
            training.end(training.living, Status.INTERRUPTED)
        return cls.of(training, list(rows.values()), [diagnose(own) for own in rows.values()], steps, folder)

    @property
    def w(self) -> torch.Tensor:
        """The last finite parameters of each member, (K, d)."""
        return torch.stack([run.w for run in self.runs])

    @property
    def average(self) -> torch.Tensor | None:
        """Exponential averages of the parameters, (K, d), or None."""
        averages = [run.average for run in self.runs]
        return None if averages[0] is None else torch.stack(averages)

    @property
    def status(self) -> Array:
        """How each member ended, (K,)."""
        return object_vector(run.status for run in self.runs)

    @property
    def step(self) -> list[int]:
        """Steps done by each member."""
        return [run.step for run in self.runs]

    @property
    def steps(self) -> int:
        """Steps that each member was asked to take."""
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
    def findings(self) -> list[list[Finding]]:
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


def by_seed(rows: Sequence[Row], seeds: Sequence[int]) -> dict[int, list[Row]]:
    """The log that all members share as one log for each seed."""
    found: dict[int, list[Row]] = {seed: [] for seed in seeds}
    for row in rows:
        found[row["seed"]].append({key: value for key, value in row.items() if key != "seed"})
    return found


def _numbers(values: Sequence[object]) -> bool:
    return all(isinstance(value, (int, float)) for value in values)
