"""Any rule as the optimiser of two networks in a training loop of one's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from ..errors import ParameterError, ShapeError
from ..games.network import Network, NetworkGame
from ..rules.wrapper import scaled
from ..types import Batch, Rule, State
from ..worlds import number

Losses = Callable[[Network, Network], tuple[Any, Any]]


@dataclasses.dataclass(frozen=True, eq=False)
class Seed:
    """A batch token: all randomness of one evaluation of the user's losses, data apart."""

    seed: int


class LossesGame(NetworkGame):
    """Two modules whose costs are the losses of the current training step."""

    def __init__(self, generator: Any, discriminator: Any, zero_sum: bool) -> None:
        super().__init__("the user's GAN", {"generator": generator, "discriminator": discriminator})
        self.zero_sum, self.stochastic = zero_sum, True
        self.losses: Losses | None = None
        self.seen: list[tuple[Any, Any]] = []

    def draw(self, rng: Any = None) -> Seed:
        """A fresh seed for layers and losses that draw."""
        return Seed(int(rng.integers(2**62)))

    def _network_costs(self, networks: Sequence[Network], batch: Batch, only: int | None) -> tuple[Any, ...]:
        assert self.losses is not None
        costs = tuple(self.losses(*networks))
        if len(costs) != 2 or any(not isinstance(c, torch.Tensor) or c.numel() != 1 for c in costs):
            raise ShapeError(
                f"losses that return {', '.join(str(tuple(getattr(c, 'shape', ()))) for c in costs)}",
                "the generator's loss and the discriminator's, a scalar tensor each",
                "return (generator_loss, discriminator_loss)",
            )
        self.seen.append((costs[0].detach(), costs[1].detach()))
        return tuple(cost.reshape(()) for cost in costs)


class GameOptimizer(torch.optim.Optimizer):
    """What `for_modules` returns: `step(losses)` moves both networks by one step of the rule.

    `param_groups` holds one group for each network, whose "lr" torch's schedulers may change: the rule's step sizes for
    that player are multiplied accordingly.
    """

    def __init__(self, game: LossesGame, rule: Rule, seed: int = 0) -> None:
        rule.check(game)
        self.game, self.rule = game, rule
        self.rng = np.random.default_rng(seed)
        self.rule_state: State | None = None
        self._loaded: dict[str, Any] | None = None
        self.base = tuple(_step_size(rule, game, i) for i in range(2))
        networks = zip(game.networks, self.base, strict=True)
        groups = [{"params": [p for p in net.parameters() if p.requires_grad], "lr": lr} for net, lr in networks]
        super().__init__(groups, {"lr": self.base[0]})

    def step(self, losses: Losses) -> tuple[Any, Any]:  # type: ignore[override]
        """One step of the rule; returns the two losses at its first evaluation, where the networks were.

        Args:
            losses: (generator, discriminator) -> (generator's loss, discriminator's loss), each minimised by its own
                player. It is called as often as the rule evaluates the field, so draw the batch of data before the
                step, and use the networks that it is given. What it draws by torch inside repeats within a batch token.
        """
        game = self.game
        game.losses, game.seen = losses, []
        w = torch.cat([p.detach().reshape(-1) for group in self.param_groups for p in group["params"]])
        factors = tuple(group["lr"] / base for group, base in zip(self.param_groups, self.base, strict=True))
        rule = self.rule if all(f == 1 for f in factors) else scaled(self.rule, game, factors)
        if self.rule_state is None:
            self.rule_state = self._restored(rule.init(game, w, self.rng))
        w, self.rule_state, _ = rule.step(game, w, self.rule_state, self.rng)
        game.load(w.detach())
        game.advance()
        return game.seen[0]

    def state_dict(self) -> dict[str, Any]:
        """The rule's state by path, step sizes and random stream. The networks' parameters are the networks' own."""
        state = self.rule_state
        saved = {"arrays": {}, "counters": {}} if state is None else _saved(state)
        rates = [group["lr"] for group in self.param_groups]
        return {
            **saved,
            "rule": repr(self.rule),
            "lr": rates,
            "rng": self.rng.bit_generator.state,
            "new": state is None,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken, to the same numbers.

        Raises:
            ParameterError: if it was taken from another rule.
        """
        if state_dict["rule"] != repr(self.rule):
            raise ParameterError(
                f"the state of {state_dict['rule']} for {self.rule!r}", "the same rule", "build the rule that was saved"
            )
        for group, lr in zip(self.param_groups, state_dict["lr"], strict=True):
            group["lr"] = lr
        self.rng.bit_generator.state = state_dict["rng"]
        self.rule_state, self._loaded = None, None if state_dict["new"] else state_dict

    def _restored(self, fresh: State) -> State:
        """The state to go on from: a fresh one, or the loaded one, in the structure of the fresh one."""
        if self._loaded is None:
            return fresh
        saved, self._loaded = self._loaded, None
        self.rng.bit_generator.state = saved["rng"]  # `init` may have drawn
        arrays = [saved["arrays"][path].to(array) for path, array in fresh.leaves()]
        counters = [saved["counters"][path] for path, _ in fresh.counter_leaves()]
        return fresh.replace_leaves(iter(arrays), iter(counters))


def _saved(state: State) -> dict[str, Any]:
    return {
        "arrays": {path: array.detach().clone() for path, array in state.leaves()},
        "counters": dict(state.counter_leaves()),
    }


def _step_size(rule: Rule, game: LossesGame, player: int) -> float:
    """The lr of the rule for a player, or of the rule that it wraps; 1 where there is none."""
    if hasattr(rule, "lr"):
        return float(number(game.per_player(rule.lr)[player], game.w0))
    inner = getattr(rule, "inner", None)
    return 1.0 if inner is None else _step_size(game.per_player(inner)[player], game, player)


def for_modules(
    generator: torch.nn.Module, discriminator: torch.nn.Module, rule: Rule, zero_sum: bool = False, seed: int = 0
) -> GameOptimizer:
    """An optimiser that trains two modules by any rule of the catalogue.

    Make it after moving the modules to their device: their parameters become views into one flat buffer.

    Args:
        generator, discriminator: player 1 and player 2.
        rule: for example `gd.rules.Extragradient(1e-3)` or `gd.rules.Alternating(gd.rules.Adam((1e-4, 4e-4)))`.
        zero_sum: promise that the generator's loss is minus the discriminator's, for rules that need it; the
            discriminator's is then used for both.
        seed: of the randomness inside the losses (dropout, latents drawn there).

    Raises:
        DomainError: if the rule does not apply, such as one for deterministic games.

    Example:
        >>> import torch, gandyn as gd
        >>> generator, discriminator = torch.nn.Linear(2, 2), torch.nn.Linear(2, 1)
        >>> optimizer = gd.optim.for_modules(generator, discriminator, gd.rules.Extragradient(0.1))
        >>> real, latent = torch.ones(8, 2), torch.ones(8, 2)
        >>> def losses(generator, discriminator):
        ...     value = discriminator(generator(latent)).mean() - discriminator(real).mean()
        ...     return -value, value
        >>> generator_loss, discriminator_loss = optimizer.step(losses)
    """
    return GameOptimizer(LossesGame(generator, discriminator, zero_sum), rule, seed)
