"""`gd.watch`: two lines in anybody's training loop, and what is going on in it."""

from __future__ import annotations

import copy
import dataclasses
import math
import time
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch

from ..budget import Budget
from ..doors import named_rightly
from ..errors import GandynError, ParameterError, writing
from ..gans.monitor import DETECTORS, Finding, Monitor, Row, VanishingGradient
from ..optim.calls import Losses
from ..optim.losses_game import LossesGame
from ..oracles.product_check import UncheckedProductsWarning
from ..results import plain
from ..types import Array, Batch, Game
from . import report, words
from .asked import checked
from .clock import Clock, cuda_in_use
from .looks import View
from .measurements import MEASUREMENTS, Measurement, Scene
from .optimisers import Used, is_used
from .verdicts import TwoSigmoids, Verdict, verdict

SHARE = 0.05
EVERY = 100  # steps from look to look at least, where nothing else is asked for
LOOK = 4.0  # of a look, in evaluations of the field, as a guess: the first one takes longer than those after it
PATIENCE = 5.0  # seconds for which a look has been affordable, after which it comes before the hundredth step
BUDGET = 10.0
Networks = Mapping[str, torch.nn.Module]
Affords = Callable[[float], bool]  # whether so many seconds more may be spent


class Watch:
    """What `watch` returns: call `step()` once per training step; read `summary()` or write a `report`.

    Attributes:
        rows: one dict for each look: "step", "losses", "gradient_norms", "field_norm", "parameter_norms" and "moved"
            since the last look, by network; where the losses call a discriminator on samples and on data: "order" (the
            share of pairs of which it puts the data higher), "doubt" (the probability that it gives to wrong answers),
            "logits", "lipschitz" (its largest slope, a lower bound), and "spread", "own_spread", "center" of the
            samples in units of the data's; and now and then "rotation", "spectrum", "gap", "path", "noise". A look
            that failed has "error".
        findings: failure modes, named as they begin; see `gandyn.gans.monitor`.
        verdicts: for each network what becomes of its loss. networks: by name, as the losses take them.
    """

    def __init__(
        self, networks: Networks, losses: Losses, rule: Used | None, every: int | None, share: float, seed: int
    ) -> None:
        self.every, self.rule = EVERY if every is None else every, rule
        self._frugal, self._look_price = every is None, math.inf
        self.rows: list[Row] = []
        self.count = 0
        self._view = View(networks, losses, seed)
        self.networks = self._view.networks
        self._clock = Clock(share, self._view.on_cpu)
        name = self._view.names[self._view.generator]
        detectors = [dataclasses.replace(d, player=name) if isinstance(d, VanishingGradient) else d for d in DETECTORS]
        self._monitor = Monitor([*detectors, TwoSigmoids()])
        self._start: torch.Tensor | None = None
        self._last: torch.Tensor | None = None
        self._batch = None
        self._seconds: dict[str, float] = {}
        self._done: dict[str, int] = {}
        self._failed: dict[str, str] = {}
        self._left_out: dict[str, str] = {}
        self._field = math.nan

    @property
    def names(self) -> tuple[str, ...]:
        """The networks, in the order in which the losses take them."""
        return self._view.names

    @property
    def findings(self) -> list[Finding]:
        """Failure modes, in the order in which they began."""
        return self._monitor.findings

    @property
    def share(self) -> float | None:
        """The watch's share of the loop's time (CPU seconds where all is on the CPU); None before the second step."""
        return self._clock.used

    @property
    def afterwards(self) -> float:
        """Seconds that `measure` and `report` took, which are no part of the loop's time."""
        return self._clock.afterwards

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """What becomes of each network's loss."""
        maker = self._view.generator
        return {n: verdict(n, self.rows, self.findings, generator=i == maker) for i, n in enumerate(self.names)}

    def step(self, batch: Batch = None) -> list[Finding]:
        """Once per training step of the loop; looks every `every`-th time. Returns the findings that begin.

        Without `every`, a look waits until the watch with it keeps to its share of the time, and comes early in a loop
        of slow steps.

        Args:
            batch: of this step, for losses that take one after the networks.

        Raises:
            GandynError: at the first step, where the losses cannot be watched; later failures are rows with "error".
        """
        with self._clock.step():
            self.count += 1
            self._batch = batch
            if self.count == 1:
                self._field = self._view.check(batch, self._clock.now)
                self._start = self._view.point()
            if not self._due() or (cuda_in_use() and torch.cuda.is_current_stream_capturing()):
                return []
            return self._look(self._clock.affords)

    def _due(self) -> bool:
        """Whether to look in this step: where `every` says so, and by default where the share of the time does."""
        on_time = self.count % self.every == 0
        if not self._frugal or (on_time and not self.rows):
            return on_time
        waited = self._clock.waited(min(self._look_price, LOOK * self._field))
        return waited is not None and (on_time or waited >= PATIENCE)

    def measure(self, budget: float | Budget | None = BUDGET) -> Row:
        """All measurements at this moment, whatever share of the time they take, that fit into `budget` seconds.

        Args:
            budget: seconds by the wall clock; None for no limit. What is not expected to end in time is left out, and
                `summary` says so; what is begun is ended, and may take longer than expected.

        Raises:
            ParameterError: before the first step.
        """
        if not self.count:
            raise ParameterError("a look before the first step", "a loop that calls watch.step()", "watch.step()")
        limit = Budget.of(budget)

        fits = partial(self._fits, limit)
        began = time.perf_counter()
        if not self.rows or self.rows[-1]["step"] != self.count or "error" in self.rows[-1]:
            self._look(fits, limit)
        else:
            with self._view.open(self._batch) as (game, w):
                with game.undisturbed():
                    v = game.field(w, self._view.token)
                self._costly(self.rows[-1], self._scene(game, w, v), fits, limit)
        self._clock.afterwards += time.perf_counter() - began
        return self.rows[-1]

    def _fits(self, limit: Budget, seconds: float) -> bool:
        return seconds * self._clock.load < limit.left

    def _look(self, affords: Affords, limit: Budget | None = None) -> list[Finding]:
        self._clock.looked()
        row: Row = {"step": self.count}
        began = self._clock.now()
        try:
            with self._view.open(self._batch) as (game, w):
                opened = self._clock.now()
                found, v = self._view.row(game, w)
                self._field = min(self._field, self._clock.now() - opened)  # the first evaluation was a cold one
                row |= found | {"moved": self._moved(game, w)}
                self._look_price = self._clock.now() - began
                if math.isfinite(row["field_norm"]):
                    self._costly(row, self._scene(game, w, v), affords, limit)
        except Exception as error:  # a watch does not end the loop that it watches
            row["error"] = f"{type(error).__name__}: {error}"
        self.rows.append(row)
        return [] if "error" in row else self._monitor.update(row)

    def _moved(self, game: Game, w: Array) -> dict[str, float] | None:
        last, self._last = self._last, w.clone()
        if last is None or last.shape != w.shape:
            return None
        return {name: float(b.norm()) for name, b in zip(self.names, game.split(w - last.to(w)), strict=True)}

    def _scene(self, game: LossesGame, w: Array, v: Array) -> Scene:
        start = self._start if self._start is not None and self._start.shape == w.shape else w
        return Scene(game, w, v, self._view.token, start.to(w), self.rule, self._view.parameters())

    # --- costly measurements, by turns ---------------------------------------------------------------------------

    def _costly(self, row: Row, scene: Scene, affords: Affords, limit: Budget | None) -> None:
        """Make the costly measurements that time allows, the least recent first, or save time for one of them."""
        for one in sorted(MEASUREMENTS, key=lambda m: self._done.get(m.name, -1)):
            if one.name in row or one.name in self._failed:
                continue
            price = self._price(one)
            if affords(price):
                self._measure(one, row, scene, limit)
            elif limit is not None:
                self._left_out[one.name] = words.beyond(price * self._clock.load, limit)
            elif one.name not in self._done and affords(price / 2):
                return

    def _measure(self, one: Measurement, row: Row, scene: Scene, limit: Budget | None) -> None:
        began = self._clock.now()
        seconds = self._clock.left if limit is None else limit.left / self._clock.load
        scene = dataclasses.replace(scene, fields=max(seconds, 0.0) / max(self._field, 1e-9))
        try:
            with self._clock.timed(), scene.game.undisturbed(), warnings.catch_warnings():
                warnings.simplefilter("error", UncheckedProductsWarning)  # is said in the report, and not to the loop
                found = one.measure(scene)
        except Exception as error:  # the others are still made
            ours = isinstance(error, GandynError | UncheckedProductsWarning)
            self._failed[one.name] = str(error) if ours else f"{type(error).__name__}: {error}"
        else:
            if found:
                row[one.name] = found
        self._done[one.name] = self.count
        self._seconds[one.name] = self._clock.now() - began

    # --- what is said ----------------------------------------------------------------------------------------------

    def newest(self, name: str) -> tuple[int, Row] | None:
        """(step, result) of the newest measurement of this name, such as "gap"; None where there is none."""
        return next(((row["step"], row[name]) for row in reversed(self.rows) if name in row), None)

    def unmeasured(self) -> dict[str, str]:
        """What was never measured, by name, and why."""
        missing = [m for m in MEASUREMENTS if self.newest(m.name) is None]
        dear = {m.name: words.dear(self._price(m), self._clock.share) for m in missing}
        nothing = {name: "nothing to see" for name in self._done}
        why = dear | self._left_out | nothing | self._failed
        return {m.name: why[m.name] for m in missing}

    def _price(self, one: Measurement) -> float:
        """The seconds that a measurement is expected to take."""
        return self._seconds.get(one.name, one.price * self._field)

    def summary(self) -> str:
        """A few lines: what becomes of each loss, what failed, how the field turns, and what the watch has cost."""
        return words.summary(self)

    def report(self, path: str | Path) -> Path:
        """Write the findings, verdicts, numbers and curves as one HTML page that needs nothing else.

        What was never measured is measured first, as far as it is expected to end within `BUDGET` seconds.

        Args:
            path: of the file.

        Raises:
            OutputError: for a path that cannot be written to.
        """
        if self.count and self.unmeasured().keys() - self._failed.keys() - self._done.keys():
            self.measure()
        written = Path(path)
        with writing(written):
            written.write_text(report.page(self), encoding="utf-8")
        return written

    def to_dict(self) -> Row:
        """Rows, findings, verdicts and the share of the time, as plain data."""
        found: Row = plain({
            "steps": self.count,
            "every": self.every,
            "share": self.share,
            "verdicts": [v.to_dict() for v in self.verdicts.values()],
            "findings": [f.to_dict() for f in self.findings],
            "rows": copy.deepcopy(self.rows),
        })  # fmt: skip
        return found

    def __getstate__(self) -> Row:
        raise ParameterError("a copy of a watch, whose networks would not be the loop's", "its numbers, or a new watch",
                             "watch.to_dict(), or gd.watch(*copies, losses_of_the_copies)")  # fmt: skip

    def __repr__(self) -> str:
        return f"<Watch of {', '.join(self.names)}: {words.so_far(self)}>"

    def __str__(self) -> str:
        return self.summary()


@named_rightly
def watch(
    generator: torch.nn.Module | Mapping[str, torch.nn.Module],
    discriminator: torch.nn.Module | Losses | None = None,
    losses: Losses | Used | None = None,
    rule: Used | None = None,
    every: int | None = None,
    share: float = SHARE,
    seed: int = 0,
) -> Watch:
    """Watch a training loop of one's own: two lines, and nothing in the loop changes by a bit.

    `watch.step()` once per training step looks at the networks every hundredth time, or `every`-th: losses and
    gradients by network, where samples lie against data, and, as the time allows, how much of the field rotates, the
    ends of the spectrum of J and of the rule's update map with the largest stable step, the duality gap, and the path
    angle. Failure modes are named as they begin, and each loss gets a verdict.

    A look evaluates the losses on copies of parameters and buffers. Parameters, `.grad`, buffers, modes, hooks, random
    streams (torch on all devices, NumPy's and Python's global ones, and generators that the losses reach), and what the
    losses keep in variables, lists and objects of the user's are afterwards as they were. What the losses draw by torch
    is the same at every look. Losses that read from an iterator are refused, as a look would advance it: write
    `losses(generator, discriminator, batch)` and call `watch.step(batch)`.

    Args:
        generator, discriminator: two modules; or a dict from names to modules in place of both,
            `gd.watch({"generator": g, "d1": d1, "d2": d2}, losses)`. Modules in `DistributedDataParallel` are looked at
            in this process alone. The generator is the network of that name, or the first.
        losses: (network, ...) -> (loss, ...), as for `gd.optim.for_modules`.
        rule: what takes the steps, for the spectrum of its map: a rule of `gd.rules`; or, with its state as it is, the
            optimiser that `gd.optim.for_modules` returned, or torch's own, one for each network: `(over_g, over_d)`.
        every: steps from look to look. None, the default, is 100 steps, or so many hundreds that the watch keeps to
            its `share`, where a look takes longer than that; only that of the hundredth step is made in any case. Where
            a hundred steps take long, a look comes when its share has allowed it for 5 seconds.
        share: of the loop's time to which costly measurements keep. Looks that `every` asks for are all made.
        seed: of what the losses draw by torch while they are looked at.

    Raises:
        ParameterError: for networks that are no modules, losses that cannot be called, `every` below 1, a share
            outside 0 to 1.

    Example:
        >>> import torch, gandyn as gd
        >>> _ = torch.manual_seed(0)
        >>> g, d = torch.nn.Linear(2, 2), torch.nn.Linear(2, 1)
        >>> def losses(g, d):
        ...     on_fake, on_real = d(g(torch.randn(64, 2))), d(3 + torch.randn(64, 2))
        ...     return -on_fake.mean(), on_fake.mean() - on_real.mean() + (d.weight**2).sum()
        >>> optimizer = gd.optim.for_modules(g, d, gd.rules.AlternatingGD(0.05))
        >>> watch = gd.watch(g, d, losses, rule=optimizer, every=50)
        >>> for step in range(100):
        ...     _ = optimizer.step(losses)
        ...     _ = watch.step()
        >>> [row["step"] for row in watch.rows], watch.findings
        ([50, 100], [])
    """
    if isinstance(generator, Mapping):
        if losses is None or is_used(losses):
            discriminator, losses, rule = None, discriminator, losses or rule
        networks: dict[str, object] = dict(generator)
    else:
        networks = {"generator": generator, "discriminator": discriminator}
    return Watch(*checked(networks, losses, rule, every, share), every, share, seed)
