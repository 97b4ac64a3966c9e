"""Any rule as the optimiser of two or more networks in a training loop of one's own."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch

from ..doors import named_rightly
from ..doors.players import rule as checked_rule
from ..errors import ParameterError, made, shown
from ..memory import giving_away
from ..rules.wrapper import scaled
from ..types import Array, Batch, Game, Rule, State
from ..worlds import number
from .calls import Losses
from .habits import TINY, explained, gradients, looking_only, refuse_backward, refuse_groups, refuse_settings
from .loss_scale import LossScale
from .losses_game import LossesGame, block_of, known
from .sharded_game import ShardedGame, is_sharded, refuse_rule


class GameOptimizer(torch.optim.Optimizer):
    """What `for_modules` returns: `step(losses)` moves all networks by one step of the rule.

    `param_groups` holds one group for each network, whose "lr" torch's schedulers may change: the rule's step sizes for
    that player are multiplied accordingly. At 0 the player stays where it is, and its moments go on. Parameters with
    `requires_grad=False` during a step are constants of it: neither they nor their moments move. So are those that
    their loss reaches at no evaluation of a step by gradients, as a torch optimiser leaves parameters without `.grad`.
    Counts of steps, such as those of Adam's bias correction, are the optimiser's and go on.

    Args:
        game: of the losses, as `for_modules` makes it. rule: of the step. seed: of what the rule draws.
    """

    def __init__(self, game: LossesGame, rule: Rule, seed: int = 0) -> None:
        rule.check(game)
        self.game, self.rule = game, rule
        self.rng = np.random.default_rng(seed)
        self.rule_state: State | None = None
        self._loaded: dict[str, Any] | None = None
        self._scale: LossScale | None = None
        self._made, self._left_over = False, gradients(game._parameters)
        self.base = tuple(_step_size(rule, game, i) for i in range(len(game.players)))
        groups = [{"params": list(own), "lr": lr} for own, lr in zip(game._parameters, self.base, strict=True)]
        super().__init__(groups, {"lr": self.base[0]})
        self._made = True

    def step(self, losses: Losses | None = None, data: Any = None, scaler: Any = None) -> tuple[Any, ...]:  # type: ignore[override]
        """One step of the rule; returns each loss at its first evaluation.

        Args:
            losses: (network, ...) -> (loss, ...), one scalar for each network, in their order, each minimised by its
                own. It is called as often as the rule evaluates the field, and must use the networks that it is given.
                What it draws by torch inside repeats within a batch of the rule. Pass generated points on without
                `.detach()`: only a player's own slopes are taken. Losses with one more argument are given the number
                of the batch, 0, 1, ...: `Alternating(rule, repeats=(1, 5))` asks for six in a step, `Extragradient`
                for one, and twice for the same. Losses that take no number see one batch throughout. Losses with a
                keyword argument `only`, `losses(g, d, *, only=None)`, are told the name of the one network whose loss
                is wanted, as where players move in turn, and may return None for the others; None asks for all.
            data: an iterator, from which the losses are given the next item, in place of the number, for each batch; of
                a list or loader that is given at every step, one iteration goes on from step to step.
            scaler: a `torch.amp.GradScaler`, for losses in half precision, which are scaled here and not by the losses.
                A step that is not finite is not made, as with `scaler.step` and `scaler.update`.

        Raises:
            DomainError: for a rule with products and a scaler, or a hook that changes gradients.
            GameError: if a loss does not reach its network: made from other modules than those given, or detached; if
                losses call backward, write into parameters, or use samples made before the step where the rule has
                moved since; if a loop has computed gradients that the step would not use; if a network has parameters
                that came after the optimiser was made.
            ParameterError: for a group's "lr" that is negative or no number, or a group with other parameters than its
                network's, or with settings that are the rule's, such as "weight_decay".
            NotDifferentiableError: if the rule uses products with the Jacobian and they are not derivatives of the
                slopes, as where the generator's output is detached in the discriminator's loss.
        """
        game = self.game
        if scaler is not None and not hasattr(scaler, "scale"):
            raise ParameterError(f"scaler={shown(scaler)}", "a GradScaler", 'scaler=torch.amp.GradScaler("cuda")')
        if scaler is not None and (self._scale is None or self._scale.scaler is not scaler):
            self._scale = LossScale(scaler, self.rule, game.device)
        game.begin(cast(Losses, losses), data, 1.0 if scaler is None or self._scale is None else self._scale.factor)
        refuse_backward(game._parameters, self._left_over)
        refuse_groups(self.param_groups, game._parameters)
        w = game.vector()
        factors = tuple(map(_factor, self.param_groups, self.base))
        rule = self.rule if all(f == 1 for f in factors) else scaled(self.rule, game, factors)
        if self.rule_state is None:
            self.rule_state = self._restored(rule.init(game, w, self.rng))
        frozen = game.frozen()
        spare = [] if frozen is not None or scaler is not None else self._spare(rule, w)
        with giving_away(spare), explained(), self._hooks_held():
            moved, state, _ = rule.step(game, w, self.rule_state, self.rng)
        moved, idle = moved.detach(), game.idle()
        frozen = idle if frozen is None else frozen if idle is None else frozen | idle
        if frozen is not None:
            moved, state = torch.where(frozen, w, moved), _with_moments_of(self.rule_state, state, frozen, game)
        if scaler is None or self._scale is None or self._scale.accepts(moved, state):
            self.rule_state = state
        else:
            moved = w
        game.load(moved)
        game.advance()
        return game.first_seen()

    def _hooks_held(self) -> contextlib.AbstractContextManager[None]:
        """For rules with products, a context in which no hook may change a gradient."""
        products = self.rule.cost.jvps != 0 or self.rule.cost.vjps != 0
        return looking_only(self.game.networks, self.rule) if products else contextlib.nullcontext()

    def _spare(self, rule: Rule, w: Array) -> list[Array]:
        """The arrays that a step may write over: the point and the state, unless the step may still be refused."""
        if not rule.overwrites or self.rule_state is None:
            return []
        return [w, *(array for _, array in self.rule_state.leaves())]

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Parameters that were added to a network since join that network's group, with rule state as at the start.

        Those of a network that is trained already, frozen ones included, are in its group from the beginning.

        Raises:
            ParameterError: for parameters of no network here, or with a step size of their own.
        """
        if not self._made:
            super().add_param_group(param_group)
            return
        given = param_group["params"]
        given = [given] if isinstance(given, torch.Tensor) else list(given)
        owners = [{id(p) for p in network.parameters()} for network in self.game.networks]
        for p in given:
            i = next((i for i, own in enumerate(owners) if id(p) in own), None)
            if i is None or param_group.get("lr", self.param_groups[i]["lr"]) != self.param_groups[i]["lr"]:
                raise ParameterError(
                    "a group of parameters that are in none of the networks"
                    if i is None
                    else "a step size of their own",
                    "parameters of one of the networks, which take its step size",
                    "attach the layer to its network first, and leave out `lr`",
                )
        known = {id(p) for own in self.game._parameters for p in own}
        if any(id(p) not in known for p in given):
            self._enlarge()

    def _enlarge(self) -> None:
        """Make the game anew, with all parameters that the networks have now, and carry the rule's state over."""
        old = self.game
        self.game = game = LossesGame(dict(zip((p.name for p in old.players), old.networks, strict=True)), old.zero_sum)
        game.share_processes(old)
        for group, own in zip(self.param_groups, game._parameters, strict=True):
            group["params"] = list(own)
        self._left_over = gradients(game._parameters)
        if self.rule_state is not None:
            still: Any = _ZeroField(game)
            fresh = self.rule.init(still, game.w0, np.random.default_rng(0))
            kept, where = dict(self.rule_state.leaves()), known(old, game)
            arrays = [
                _enlarged(array, kept[path], where[block_of(game, path, array)]) for path, array in fresh.leaves()
            ]
            counters = [count for _, count in self.rule_state.counter_leaves()]
            self.rule_state = fresh.replace_leaves(iter(arrays), iter(counters))

    def __getstate__(self) -> dict[str, Any]:
        raise ParameterError(
            "a copy of an optimiser, whose networks would not be those of the copy", "an optimiser for each networks",
            "for_modules(*copies, rule), and load_state_dict(optimizer.state_dict())",
        )  # fmt: skip

    def state_dict(self) -> dict[str, Any]:
        """The rule's state by path, step sizes and random stream. The networks' parameters are the networks' own."""
        state = self.rule_state
        saved = {"arrays": {}, "counters": {}} if state is None else _saved(state)
        rates = [group["lr"] for group in self.param_groups]
        for look in self._optimizer_state_dict_pre_hooks.values():
            look(self)
        found = {
            **saved,
            "rule": repr(self.rule),
            "lr": rates,
            "rng": self.rng.bit_generator.state,
            "new": state is None,
        }
        for change in self._optimizer_state_dict_post_hooks.values():
            found = change(self, found) or found
        return found

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken, to the same numbers.

        Raises:
            ParameterError: if it was taken from another rule.
        """
        for change in self._optimizer_load_state_dict_pre_hooks.values():
            state_dict = change(self, state_dict) or state_dict
        if state_dict.get("rule") != repr(self.rule):
            given = state_dict.get("rule", "another optimiser")
            raise ParameterError(
                f"the state of {given} for {self.rule!r}", "the same rule", "build the rule that was saved"
            )
        for group, lr in zip(self.param_groups, state_dict["lr"], strict=True):
            group["lr"] = lr
        self.rng.bit_generator.state = state_dict["rng"]
        self.rule_state, self._loaded = None, None if state_dict["new"] else state_dict
        for look in self._optimizer_load_state_dict_post_hooks.values():
            look(self)

    def _restored(self, fresh: State) -> State:
        """The state to go on from: a fresh one, or the loaded one, in the structure of the fresh one."""
        if self._loaded is None:
            return fresh
        saved, self._loaded = self._loaded, None
        self.rng.bit_generator.state = saved["rng"]  # `init` may have drawn
        sizes = [{path: tuple(a.shape) for path, a in both} for both in (saved["arrays"].items(), fresh.leaves())]
        if sizes[0] != sizes[1]:
            given, needed = ("vectors of " + ", ".join(sorted({str(s) for s in kept.values() if s})) for kept in sizes)
            raise ParameterError(f"saved {given}", f"{needed}, as these networks have", "networks of the same layers")
        arrays = [saved["arrays"][path].to(array) for path, array in fresh.leaves()]
        counters = [saved["counters"][path] for path, _ in fresh.counter_leaves()]
        return fresh.replace_leaves(iter(arrays), iter(counters))


class _ZeroField:
    """A game whose field is zero: what a rule's initial state is made of for parameters that it has not met."""

    def __init__(self, game: Game) -> None:
        self._game = game

    def __getattr__(self, name: str) -> Any:
        return getattr(self._game, name)

    def field(self, w: Array, batch: Batch = None, only: object = None) -> torch.Tensor:
        """A field of zeros: an idle player does not move."""
        return torch.zeros_like(w)


def _factor(group: Mapping[str, Any], base: float) -> float:
    """The factor by which a group's step size has changed since the rule was given."""
    refuse_settings(group)
    lr = float(group["lr"])
    if not 0 <= lr < math.inf:
        raise ParameterError(f'a group with "lr": {lr}', "a number >= 0", "look at the scheduler that sets it")
    return max(lr, TINY) / base


def _with_moments_of(old: State, new: State, frozen: Any, game: LossesGame) -> State:
    """The new state, with the old one's vectors where coordinates were frozen."""
    kept = dict(old.leaves())
    arrays = [
        torch.where(frozen[block_of(game, path, array)], kept[path], array) if array.ndim else array
        for path, array in new.leaves()
    ]
    return new.replace_leaves(iter(arrays), iter([count for _, count in new.counter_leaves()]))


def _enlarged(fresh: Any, kept: Any, where: Any) -> Any:
    """A state array of more coordinates, with the old ones where they belong."""
    if fresh.shape == kept.shape:
        return kept
    if fresh.shape[-1] != len(where) or kept.shape[-1] != int(where.sum()):
        raise ParameterError(
            f"state of shape {tuple(kept.shape)} for new parameters", "vectors like w", "a new optimiser"
        )
    fresh = fresh.clone()
    fresh[..., where] = kept
    return fresh


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


@named_rightly
def for_modules(
    generator: torch.nn.Module | Mapping[str, torch.nn.Module],
    discriminator: Any = None,
    rule: Rule | str | None = None,
    zero_sum: bool = False,
    seed: int = 0,
) -> GameOptimizer:
    """An optimiser that trains two modules, or any number of them, by any rule of the catalogue.

    Make it after moving the modules to their device: their parameters become views into one flat buffer. Modules in
    `DistributedDataParallel` stay equal in all processes. Of modules under torch's `fully_shard` each process moves its
    own shards, and keeps the rule's state of them, by rules that move each coordinate by itself.

    Args:
        generator, discriminator: player 1 and player 2; or a dict from names to modules in place of both:
            `for_modules({"generator": g, "d1": d1, "d2": d2}, rule)`. Losses then take and give one for each, in that
            order.
        rule: for example `gd.rules.Extragradient(1e-3)` or `gd.rules.Alternating(gd.rules.Adam((1e-4, 4e-4)))`.
        zero_sum: promise that the generator's loss is minus the discriminator's, for rules that need it; the
            discriminator's is then used for both.
        seed: of the randomness inside the losses (dropout, latents drawn there).

    Raises:
        DomainError: if the rule does not apply, such as one for two players, or one of products for sharded modules.

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
    if isinstance(generator, Mapping):
        if rule is None:
            discriminator, rule = None, discriminator
        networks = dict(generator)
    else:
        networks = {"generator": generator, "discriminator": discriminator}
    from ..symbolic.members import members_in

    if rule is None or not networks or not all(isinstance(net, torch.nn.Module) for net in networks.values()):
        wrong = next((net for net in networks.values() if isinstance(net, type)), None)
        raise ParameterError(
            ", ".join(shown(v) if isinstance(v, type) else type(v).__name__ for v in (*networks.values(), rule)),
            "two modules and a rule, or a dict of modules and a rule",
            made(wrong, "for_modules(generator, discriminator, gd.rules.Extragradient(1e-3))"),
        )
    read: Rule = checked_rule("rule", rule)
    if members_in(read):
        raise ParameterError(f"{read!r} with arrays of one value per member", "one value of each parameter", "lr=1e-3")
    if zero_sum and len(networks) != 2:
        raise ParameterError(f"zero_sum=True for {len(networks)} networks", "two networks", "leave it out")
    if any(map(is_sharded, networks.values())):
        refuse_rule(read)
        return GameOptimizer(ShardedGame(networks), read, seed)
    return GameOptimizer(LossesGame(networks, zero_sum), read, seed)
