"""A run between two steps: parameters, the rule's state, averages, random numbers; how it is saved and restored."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import platform
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...errors import DomainError, ParameterError
from ...penalties import Penalty
from ...types import Array, Cost, Counts, Rule
from ..capture import CapturedStep
from ..ema import EMA
from ..gan_game import GANGame
from . import checkpoint
from .checkpoint import Snapshot
from .distributed import whole
from .observe import Observer, data_state
from .options import Stepping
from .untrusted_files import CheckpointError

PRECISIONS = ("float32", "bfloat16")
CHECK_EVERY_ON_DEVICE = 50


def versions() -> dict[str, str]:
    """The versions of everything that decides on the last bits of the numbers: libraries, threads, processor."""
    from importlib.metadata import version

    return {
        "gandyn": version("gandyn"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "threads": str(torch.get_num_threads()),
        "cpu": torch.backends.cpu.get_cpu_capability(),
    }


def tell_difference(then: Mapping[str, object], path: Path) -> None:
    """Warn where a run goes on with other libraries, or another number of threads, than its checkpoint was made with.

    Sums are then made in another order, so that numbers may differ in their last digits from those of one run.
    """
    now = versions()
    different = [f"{key} {then[key]} there, {now[key]} here" for key in now if then.get(key, now[key]) != now[key]]
    if different:
        warnings.warn(
            f"{path.name} was written with {', '.join(different)}: what follows may differ in rounding from a run"
            " that was not interrupted. Usual fix: the same versions, and torch.set_num_threads",
            stacklevel=4,
        )


class Training:
    """A run between two steps: parameters, the rule's state, averages and random numbers."""

    def __init__(self, game: Any, rule: Rule, stepping: Stepping | None = None) -> None:
        stepping = stepping or Stepping()
        self.game, self.rule, self.seed, self.whole = game, rule, stepping.seed, whole(game)
        self._autocast = _autocast(game, stepping.precision)
        if stepping.compile:
            _compile(game, rule)
        self.observer = Observer(self.whole, self.seed)
        self.rng = np.random.default_rng((self.seed, 0))
        self.w = game.w0.clone()
        with self._autocast():
            self.state = rule.init(game, self.w, self.rng)
        self.ema = None if stepping.average is None else EMA(self.w, stepping.average)
        self.step, self.seconds = 0, 0.0
        self.last_field: Any = None
        self._captured = CapturedStep(game, rule, self.w, self.state) if stepping.capture else None

    def advance(self) -> bool:
        """One step; False, and the point from before, where the next one is not finite."""
        with self._autocast():
            w, state, field = self._next()
        if self._looks(self.step + 1) and not bool(w.isfinite().all()):
            return False
        if self._captured is None:
            self.game.advance()
        self.w, self.state, self.last_field = w, state, field
        self.step += 1
        if self.ema is not None:
            self.ema.update(w)
        return True

    def _next(self) -> tuple[Any, Any, Any]:
        """The next point and state, and the field that the step saw; a captured step keeps its state to itself."""
        if self._captured is None:
            w, state, info = self.rule.step(self.game, self.w, self.state, self.rng)
            return w, state, info.get("field")
        self._captured.step(self.rng)
        return self._captured.w.clone(), self.state, self._captured.field

    def settle(self) -> None:
        """Take the rule's state back from a captured step."""
        if self._captured is not None:
            self.state = self._captured.state

    @property
    def average(self) -> Array | None:
        """The average of the parameters, or None."""
        return None if self.ema is None else self.ema.w

    def _looks(self, step: int) -> bool:
        """Every step on a CPU; now and then on a device, which would have to wait for the answer."""
        return self.game.device.type == "cpu" or step % CHECK_EVERY_ON_DEVICE == 0

    # --- saving ------------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Everything a checkpoint holds: parameters, rule state, buffers, averages, counts and random streams."""
        self.settle()
        game = self.whole
        buffers = {
            f"{player.name}.{name}": buffer
            for player, network in zip(game.players, game.networks, strict=True)
            for name, buffer in network.named_buffers()
        }
        rng = {"run": checkpoint.generator_state(self.rng), "game": checkpoint.generator_state(game._rng)}
        if (place := data_state(game)) is not None:
            rng["data"] = place
        return Snapshot(
            self.step, self.w, self.state, self.average, buffers, rng, counted(game.counts), self.seconds
        )  # fmt: skip

    def restore(self, path: Path, identity: dict[str, Any] | None) -> dict[str, Any]:
        """Go to a checkpoint with this identity (None: any) and return its record. Raises CheckpointError."""
        if identity is None and self.average is None:
            kept = checkpoint.read_record(path)["identity"].get("average")
            self.ema = None if kept is None else EMA(self.w, float(kept))
        like = self.snapshot()
        found, record = matched(path, like, identity)
        checkpoint.restore_generator(self.rng, found.rng["run"], "the run")
        checkpoint.restore_generator(self.whole._rng, found.rng["game"], "the game")
        restore_data(self.whole, found.rng.get("data"), path)
        self.step, self.w, self.state, self.seconds = found.step, found.w, found.state, found.seconds
        if self.ema is not None:
            self.ema.load_state_dict({"w": found.average, "updates": found.step})
        for name, buffer in like.buffers.items():
            buffer.copy_(found.buffers[name])
        for name, value in found.counts.items():
            setattr(self.game.counts, name, value)
        self.game.load(self.w)
        if self._captured is not None:
            self._captured = CapturedStep(self.whole, self.rule, self.w, self.state)
        return record


def counted(counts: Counts) -> dict[str, int]:
    """How many gradients, products and samples were asked for, by name; without seconds, which no rerun repeats."""
    return {k: v for k, v in dataclasses.asdict(counts).items() if k not in ("seconds", "players")}


def matched(path: Path, like: Snapshot, identity: dict[str, object] | None) -> tuple[Snapshot, dict[str, Any]]:
    """The checkpoint with this identity (None: any) and structure, and its record. Raises CheckpointError."""
    record = checkpoint.read_record(path)
    if identity is not None and record["identity"] != _through_json(identity):
        raise _another_run(path, record["identity"], _through_json(identity))
    found, _ = checkpoint.read(path, like)
    if set(found.rng) != set(like.rng) or set(found.counts) != set(like.counts):
        raise CheckpointError(f"{path.name} with other generators or counts", "those of this run", "another version?")
    return found, record


def restore_data(game: Any, place: Any, path: Path) -> None:
    """Move data read in order to a checkpoint's place, None without order. Raises CheckpointError for a wrong one."""
    if place is None:
        return
    known = data_state(game) or {}
    if not isinstance(place, dict) or set(place) != set(known) or not all(type(v) is int for v in place.values()):
        raise CheckpointError(
            f"the data's place {place!r} in {path.name}", f"numbers for {', '.join(known)}", "use the data of the run"
        )
    game.data.load_state_dict(place)


def _through_json(value: dict[str, object]) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(json.dumps(value))
    return parsed


def _another_run(path: Path, given: dict[str, object], needed: dict[str, object]) -> CheckpointError:
    different = [key for key in sorted({*given, *needed}) if given.get(key) != needed.get(key)]
    shown = ", ".join(f"{key}: {_cut(given.get(key))} there, {_cut(needed.get(key))} here" for key in different[:3])
    return CheckpointError(
        f"{path.name} is of another run ({shown})", "the same game, rule, seed and config", "take another folder"
    )


def _cut(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _autocast(game: GANGame, precision: str) -> Callable[[], contextlib.AbstractContextManager[object]]:
    """Mixed precision around a step. No cache of cast weights: a step evaluates at several points."""
    if precision not in PRECISIONS:
        raise ParameterError(f"precision={precision!r}", " or ".join(PRECISIONS), 'precision="float32"')
    if precision == "float32":
        return contextlib.nullcontext
    if game.dtype != torch.float32:
        raise ParameterError(
            f"precision={precision!r} for networks of {game.dtype}", "float32 networks", "module.float()"
        )
    return lambda: torch.autocast(game.device.type, torch.bfloat16, cache_enabled=False)


def _compile(game: GANGame, rule: Rule) -> None:
    """Compile both networks in place. Raises DomainError where something is differentiated twice."""
    cost = rule.cost
    costly = any(type(penalty).cost is not Penalty.cost for penalty in game.penalties)
    if costly or cost != Cost(cost.fields):
        raise DomainError(
            f"compiled networks for {rule.name} with penalties {list(game.penalties)}",
            "a rule of first order, and no penalty that adds a cost",
            "compile = false",
        )
    for network in game.networks:
        network.compile()
