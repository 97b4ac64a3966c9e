"""Many seeds between two steps: parameters, the rule's state, averages, streams; how they are saved and restored."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from ...errors import DomainError, ParameterError
from ...results import Status
from ...rules.schedule import Scheduled
from ...types import Array, Counts, Game, Rule, State
from ..ema import EMA
from ..ensemble import Ensemble
from ..gan_game import GANGame
from . import checkpoint
from .checkpoint import Snapshot
from .identity import describe
from .observe import Observer, data_state
from .options import Stepping
from .state import counted, matched, restore_data

STATUSES = list(Status)


@dataclasses.dataclass
class Member:
    """One member as the log of a run sees it: what `loop.Session` asks of a training."""

    game: GANGame
    seed: int
    observer: Observer
    w: Any
    counts: Counts
    average: Any = None
    last_field: Any = None
    step: int = 0
    seconds: float = 0.0
    status: Status = Status.OK

    @property
    def whole(self) -> GANGame:
        """The game, which no other process shares."""
        return self.game


class SeededState:
    """The state of every member (one run per seed) between two steps; `train` says what equals a run of its own."""

    def __init__(self, game: Any, rule: Rule, stepping: Stepping) -> None:
        given = stepping.seeds
        seeds = tuple(range(len(game.games))) if given is None else given
        self.game = game if isinstance(game, Ensemble) else Ensemble([_gan(game)] * len(seeds))
        if len(seeds) != len(self.game.games):
            raise ParameterError(
                f"{len(seeds)} seeds for {len(self.game.games)} games", "one for each", "leave seeds out"
            )
        self.game.alive.fill_(True)
        self.rule = rule if stepping.schedule is None else Scheduled(rule, stepping.schedule)
        self.seeds, self.step, self.seconds = seeds, 0, 0.0
        self.identity = describe(self.game, self.rule, stepping) | {"seeds": list(seeds)}
        self.streams: Any = [np.random.default_rng((seed, 0)) for seed in seeds]
        self.w = self.game.w0.clone()
        self.members = [
            Member(g, seed, Observer(g, seed), w, self.game.counts * 1)
            for g, seed, w in zip(self.game.games, seeds, self.w, strict=True)
        ]
        self.state = self.rule.init(self.game, self.w, cast(Any, self.streams))
        self.ema = None if stepping.average is None else EMA(self.w, stepping.average)
        self._share(range(len(self.members)))

    @property
    def living(self) -> list[int]:
        """Indices of the members that are still training."""
        found: list[int] = self.game.alive.nonzero().flatten().tolist()
        return found

    def advance(self) -> list[int]:
        """One step of all members; the numbers of those whose next point is not finite, who stay where they were."""
        before = self.living
        w, state, info = self.rule.step(self.game, self.w, self.state, self.streams)
        self.game.alive &= w.isfinite().all(-1)
        living = self.living
        self.game.advance()
        whole = len(living) == len(self.members)
        self.w = w if whole else self._kept(w, self.w)
        self.state = state if whole else self._kept_state(state)
        if self.ema is not None:
            average = self.ema.w.clone()
            self.ema.update(self.w)
            self.ema.w.copy_(self._kept(self.ema.w, average))
        self.step += 1
        fallen = sorted({*before} - {*living})
        for k in fallen:
            self.members[k].status, self.members[k].counts = Status.DIVERGED, self.game.counts * 1
        self._share(living, info.get("field"), self.step)
        return fallen

    def end(self, members: Sequence[int], status: Status) -> None:
        """Mark members as ended, with the reason; a member that had ended before keeps its first reason."""
        for k in {*members} & {*self.living}:
            self.members[k].status, self.game.alive[k] = status, False

    def _kept(self, new: Any, old: Any) -> Any:
        """The new row of each member that is still training, the old row of each that has ended."""
        return torch.where(self.game.alive.view(-1, *(1,) * (new.ndim - 1)), new, old)

    def _kept_state(self, state: State) -> State:
        pairs = zip(state.leaves(), self.state.leaves(), strict=True)
        kept = [self._kept(new, old) for (_, new), (_, old) in pairs]
        return state.replace_leaves(iter(kept), iter([count for _, count in state.counter_leaves()]))

    def _share(self, members: Sequence[int], field: Any = None, step: int | None = None) -> None:
        """Give each member its own row of the parameters, their average and the counts."""
        for k in members:
            member = self.members[k]
            member.w, member.last_field = self.w[k], None if field is None else field[k]
            member.average = None if self.ema is None else self.ema.w[k]
            if step is not None:
                member.step, member.counts = step, self.game.counts * 1

    def state_of(self, k: int) -> State:
        """The rule's state of one member."""
        leaves = (array[k] for _, array in self.state.leaves())
        return self.state.replace_leaves(leaves, (count for _, count in self.state.counter_leaves()))

    # --- saving ------------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Everything a checkpoint holds, the members side by side: also how far each is, and how it ended."""
        members = self.members
        buffers: dict[str, Array] = {f"ensemble.{k}": buffer for k, buffer in enumerate(self.game.buffers)}
        buffers["members.step"] = torch.tensor([m.step for m in members], device="cpu")
        buffers["members.status"] = torch.tensor([STATUSES.index(m.status) for m in members], device="cpu")
        rng = {f"seed {m.seed}": checkpoint.generator_state(stream)
               for m, stream in zip(members, self.streams, strict=True)}  # fmt: skip
        for k, game in enumerate(self._games()):
            rng[f"game {k}"] = checkpoint.generator_state(game._rng)
            if (place := data_state(game)) is not None:
                rng[f"data {k}"] = place
        counts = counted(self.game.counts)
        for m in members:
            counts |= {f"seed {m.seed}: {name}": value for name, value in counted(m.counts).items()}
        average = None if self.ema is None else self.ema.w
        return Snapshot(self.step, self.w, self.state, average, buffers, rng, counts, self.seconds)

    def restore(self, path: Path, identity: dict[str, object] | None) -> dict[str, Any]:
        """Go to a checkpoint with this identity (None: any) and return its record. Raises CheckpointError."""
        found, record = matched(path, self.snapshot(), identity)
        for member, stream in zip(self.members, self.streams, strict=True):
            name = f"seed {member.seed}"
            checkpoint.restore_generator(stream, found.rng[name], name)
        for k, game in enumerate(self._games()):
            checkpoint.restore_generator(game._rng, found.rng[f"game {k}"], f"game {k}")
            restore_data(game, found.rng.get(f"data {k}"), path)
        self.step, self.w, self.state, self.seconds = found.step, found.w, found.state, found.seconds
        if self.ema is not None:
            self.ema.load_state_dict({"w": found.average, "updates": found.step})
        self.game.buffers = [found.buffers[f"ensemble.{k}"] for k in range(len(self.game.buffers))]
        for name in counted(self.game.counts):
            setattr(self.game.counts, name, found.counts[name])
            for m in self.members:
                setattr(m.counts, name, found.counts[f"seed {m.seed}: {name}"])
        steps, statuses = (found.buffers[f"members.{name}"].tolist() for name in ("step", "status"))
        for k, member in enumerate(self.members):
            member.step, member.status, member.seconds = steps[k], STATUSES[statuses[k] % len(STATUSES)], found.seconds
            self.game.alive[k] = member.status is Status.OK
        self._share(range(len(self.members)))
        return record

    def _games(self) -> list[GANGame]:
        """The members' games, each once."""
        return list({id(game): game for game in self.game.games}.values())


def _gan(game: Game) -> GANGame:
    if not isinstance(game, GANGame):
        raise DomainError(
            f"{type(game).__name__} with several seeds", "a GANGame or an Ensemble", "one run per process"
        )
    return game
