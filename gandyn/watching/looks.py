"""One look at a training loop: the game of its losses at this moment, and a row of numbers read from it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping

import torch

from ..errors import ParameterError
from ..gans.monitor import Row
from ..optim.calls import Losses, takes_more
from ..optim.losses_game import LossesGame, Seed
from ..oracles.packing import flattened
from ..types import Array, Batch
from .evaluation import Judgement, Overheard
from .place import Place
from .stand_ins import StandIns, all_modules, unwrapped
from .surroundings import Surroundings

GENERATORS = ("generator", "gen", "netg", "g")


class View:
    """The game of a user's networks and losses, evaluated on copies of the networks' parameters.

    Args:
        networks: modules by name.
        losses: (network, ...) -> (loss, ...), as for `gd.optim.for_modules`.
        seed: seed of what the losses draw from torch during a look.
    """

    def __init__(self, networks: Mapping[str, torch.nn.Module], losses: Losses, seed: int) -> None:
        self.networks, self.losses = unwrapped(networks), losses
        self.token = Seed(seed)
        self.names = tuple(self.networks)
        self.generator = next((i for i, name in enumerate(self.names) if name.lower() in GENERATORS), 0)
        self._stand_ins: StandIns | None = None
        self._game: LossesGame | None = None
        self._place: Place | None = None
        self._log_odds: dict[int, bool] = {}

    @contextlib.contextmanager
    def open(self, batch: Batch) -> Iterator[tuple[LossesGame, Array]]:
        """The game at this moment and its point, (d,). What the losses reach is as before afterwards, bit for bit.

        Raises:
            ParameterError: for losses that take a batch, without one, and for losses that read from an iterator.
            GandynError: for losses that wrote into a tensor too large to be copied.
        """
        further = takes_more(self.losses, self.names)
        if further and batch is None:
            raise ParameterError(
                "losses with a place for a batch, and no batch", "the batch of this step", "watch.step(batch)"
            )
        surroundings = Surroundings(self.losses, all_modules(self.networks.values()))
        try:
            with self._worn(surroundings.modules) as game:
                game._module_state.pending = None
                game.begin(self.losses, itertools.repeat(batch) if further else None)
                self.token = Seed(self.token.seed, 0, batch)
                yield game, game.vector()
        finally:
            surroundings.restore()

    @contextlib.contextmanager
    def _worn(self, others: list[torch.nn.Module]) -> Iterator[LossesGame]:
        if self._stand_ins is None or not self._stand_ins.current():
            self._stand_ins, self._game = StandIns(self.networks), None
        with self._stand_ins.worn(others):
            if self._game is None:
                self._game = LossesGame(self.networks, zero_sum=False)
                self._game.reference = self.token
            yield self._game

    def row(self, game: LossesGame, w: Array) -> tuple[Row, torch.Tensor]:
        """The row of one evaluation, with the entries that `Watch.rows` lists, and the field at the point, (d,)."""
        overheard = Overheard(game.networks, self.generator)
        with torch.enable_grad(), game._evaluation(self.token, training=False):
            with overheard.listening():
                costs = game._network_costs(game.networks, self.token, None)
            blocks = [game._slopes(cost, [i], keep=True) for i, cost in enumerate(costs)]
            judged = {i: overheard.judgement(i, costs[i]) for i in overheard.discriminators}
        v = torch.cat(blocks).detach()
        row: Row = {
            "losses": {name: float(cost.detach()) for name, cost in zip(self.names, costs, strict=True)},
            "gradient_norms": {name: float(b.detach().norm()) for name, b in zip(self.names, blocks, strict=True)},
            "field_norm": float(v.norm()),
            "parameter_norms": {name: float(b.norm()) for name, b in zip(self.names, game.split(w), strict=True)},
        }
        return row | self._judged({i: j for i, j in judged.items() if j is not None}), v

    def _judged(self, judged: dict[int, Judgement]) -> Row:
        if not judged:
            return {}
        row: Row = {"order": 1.0, "lipschitz": {}, "logits": {}}
        doubts = []
        for i, one in judged.items():
            order = float((one.on_real[:, None] > one.on_fake[None, :]).double().mean())
            ties = float((one.on_real[:, None] == one.on_fake[None, :]).double().mean())
            row["order"] = min(row["order"], order + ties / 2)
            row["logits"][self.names[i]] = {"real": float(one.on_real.mean()), "fake": float(one.on_fake.mean())}
            if one.slope is not None:
                row["lipschitz"][self.names[i]] = one.slope
            row["sigmoid_as_logit"] = float(self._is_squashed(i, one)) or row.get("sigmoid_as_logit", 0.0)
            doubt = self._doubt(i, one)
            if doubt is not None:
                doubts.append(doubt)
        if doubts:
            row["doubt"] = min(doubts)
        first = next(iter(judged.values()))
        if self._place is None and bool(torch.isfinite(first.real).all()):
            self._place = Place(first.real)
        return row if self._place is None else row | self._place.row(first.real, first.fake)

    def _is_squashed(self, index: int, one: Judgement) -> bool:
        """Whether outputs between 0 and 1, of a discriminator that ends in a sigmoid, are taken for logits."""
        last = list(self.networks[self.names[index]].modules())[-1]
        logits = one.log_odds is not None and torch.equal(one.log_odds[0], one.on_real)
        return isinstance(last, torch.nn.Sigmoid) and logits

    def _doubt(self, index: int, one: Judgement) -> float | None:
        """Mean probability of the wrong answer, for a discriminator whose outputs were once seen to be log-odds."""
        if one.log_odds is not None:
            self._log_odds[index] = bool(torch.equal(one.log_odds[0], one.on_real))
        if index not in self._log_odds:
            return None
        if self._log_odds[index]:
            on_real, on_fake = one.on_real, one.on_fake
        elif one.log_odds is not None:
            on_real, on_fake = one.log_odds
        else:  # probabilities so sure that they no longer tell their own slope
            return float((1 - one.on_real.abs()).clamp(0, 1).mean() + one.on_fake.abs().clamp(0, 1).mean()) / 2
        return float(torch.sigmoid(-on_real).mean() + torch.sigmoid(on_fake).mean()) / 2

    def parameters(self) -> list[list[torch.Tensor]]:
        """The user's own parameters, network by network, in the order of the game."""
        assert self._stand_ins is not None
        assert self._game is not None
        twins = {id(twin): p for p, twin in zip(self._stand_ins.parameters, self._stand_ins.copies, strict=True)}
        return [[twins[id(twin)] for twin in block] for block in self._game._parameters]

    def point(self) -> Array:
        """The networks' parameters as they are now, as one vector (d,)."""
        own = [p for block in self.parameters() for p in block]
        return flattened([p.detach() for p in own], own)

    def on_cpu(self) -> bool:
        """Whether every parameter is on the CPU now."""
        return all(p.device.type == "cpu" for net in self.networks.values() for p in net.parameters())

    def check(self, batch: Batch, now: Callable[[], float]) -> float:
        """Seconds that an evaluation of the field takes, by the clock `now`; the first evaluation is not counted.

        Raises:
            GandynError: for losses that cannot be watched.
        """
        with self.open(batch) as (game, w):
            with game.undisturbed():
                game.field(w, self.token)
                began = now()
                game.field(w, self.token)
            return now() - began
