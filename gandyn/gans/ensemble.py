"""Many GANs of one structure as one game: parameters, buffers and batches of all members side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ..errors import DomainError, GandynError, ShapeError
from ..oracles.composite import composite_formulas
from ..oracles.field_graph import FieldGraph, slopes
from ..oracles.module_state import standing_in
from ..types import Array, Batch, Counts, Game, RestrictedGame
from ..worlds import TORCH
from .gan_game import GANGame
from .member_critic import MemberSeeds, MemberToken
from .members import FIX, Tokens, held_tensors, refuse_different, token_beside, values

TOLERANCE = 1e3


class Ensemble(Game):
    """K games between networks of one structure, played at once: w is (K, d), and row k is member k's.

    Every member's costs and gradients are those of its own game at its own parameters, buffers and batch, computed for
    all of them in one pass (`torch.vmap`). What would not be is refused when the ensemble is made: the members' costs
    together are compared with each member's alone.

    Args:
        games: the members' games, which must have the same layers, loss, penalties and batch size; parameters, buffers
            and data are each member's own. One game may stand for all of them: `[game] * 64`.

    Attributes:
        w0: initial parameters, (K, d). alive: which members go on, (K,); the buffers of others stay as they are.

    Raises:
        GameError: for games of different structure.
        DomainError: for layers that cannot be evaluated for many members at once, or answer otherwise.

    Example:
        >>> import gandyn as gd
        >>> def game(seed):
        ...     return gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(8,), seed=seed), data=gd.gans.ring(), batch_size=16)
        >>> ensemble = gd.gans.Ensemble([game(k) for k in range(4)])
        >>> ensemble.field(ensemble.w0, ensemble.draw()).shape
        torch.Size([4, 75])
    """

    worlds = frozenset({TORCH})
    deterministic = False

    def __init__(self, games: Sequence[GANGame]) -> None:
        self.games = tuple(games)
        refuse_different(self.games)
        self.game = game = self.games[0]
        self.name, self.players = f"{len(games)} times {game.name}", game.players
        self.zero_sum, self.constrained, self.stochastic = game.zero_sum, game.constrained, game.stochastic
        self.dtype, self.device = game.dtype, game.device
        self.penalties, self.networks = game.penalties, game.networks
        self.w0 = torch.stack([g.w0 for g in self.games])
        self.alive = torch.ones(len(self.games), dtype=torch.bool, device=self.device)
        self._held = [held_tensors(g) for g in self.games]
        self.buffers = [torch.stack(values) for values in zip(*map(values, self._held), strict=True)]
        self._pending: list[Any] | None = None
        self._blocks: Sequence[Any] = self.split(self.w0)
        self._graph_at: tuple[Any, int, Any, FieldGraph] | None = None
        self._hold_to_members()

    @property
    def tensor_shapes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """For each player, the shapes of one member's parameters in the order in which its block packs them."""
        return self.game.tensor_shapes

    # --- members -------------------------------------------------------------------------------------------------

    def put(self, member: int, w: Array | None = None) -> GANGame:
        """A member's own game, its modules holding the member's buffers, and the parameters w (d,) where given."""
        game = self.games[member]
        with torch.no_grad():
            for (held, key), buffer in zip(self._held[member], self.buffers, strict=True):
                held[key].copy_(buffer[member])
        if w is not None:
            game.load(w)
        return game

    def draw(self, rng: Any = None) -> Tokens:
        """A batch for each member, by its own generator of the list `rng`, or by its game's own stream."""
        streams = [None] * len(self.games) if rng is None else rng
        return Tokens(game.draw(stream) for game, stream in zip(self.games, streams, strict=True))

    def batch_size(self, batch: Batch) -> int:
        """Points of one member's batch."""
        return self.game.size

    def check(self, w: Array) -> None:
        """Refuse what is not one vector for each member."""
        super().check(w)
        if w.ndim != 2 or len(w) != len(self.games):
            raise ShapeError(f"an array of shape {tuple(w.shape)}", f"({len(self.games)}, {self.dim})", "ensemble.w0")

    def _hold_to_members(self) -> None:
        """Raises DomainError unless all members' costs and fields together equal each member's alone."""
        tokens = Tokens(map(token_beside, self.games))
        try:
            costs = torch.stack(self.costs(self.w0, tokens), 1)
            v = self.field(self.w0, tokens)
        except GandynError:
            raise
        except RuntimeError as error:
            reason = str(error).strip().split("\n")[0][:200]
            given = f"{self.game.name}, whose layers torch cannot evaluate for several members at once: {reason}"
            raise DomainError(given, "layers that `torch.vmap` knows", FIX) from error
        self._pending = None
        for k, token in enumerate(tokens):
            game = self.put(k)
            counted = vars(game.counts).copy()
            with game.undisturbed():
                self._refuse_other("costs", k, costs[k], torch.stack(game.costs(game.w0, token)))
                if k == 0:
                    self._refuse_other("a field", k, v[k], game.field(game.w0, token))
            vars(game.counts).update(counted)
        self._counts = Counts(players=len(self.players))

    def _refuse_other(self, what: str, k: int, together: torch.Tensor, alone: torch.Tensor) -> None:
        size = float(alone.detach().abs().nan_to_num(0, 0).max())
        allowed = TOLERANCE * torch.finfo(self.dtype).eps * (1 + size)
        if not torch.allclose(together, alone, rtol=0, atol=allowed, equal_nan=True):
            apart = float((together - alone).abs().max())
            given = f"{self.game.name}, of which member {k} has {what} {apart:.1e} away from those it has alone"
            raise DomainError(given, "layers that draw nothing at random but dropout, and keep no state", FIX)

    # --- evaluations ---------------------------------------------------------------------------------------------

    def _evaluate(
        self, pieces: list[list[Array]], tokens: Tokens, only: int | None, written_out: bool, keep: bool
    ) -> list[Array | None]:
        """The costs of all members, (K,) each; of `only` one, where the other is not asked for.

        `pieces` are for each player tensors (K, *shape) that stand for its parameters. Layers that are `written_out`
        can be differentiated any number of times; buffers are kept for `advance` with `keep`.
        """
        game, places = self.game, self._held[0]
        held = [*(box[key] for box, key in places)]
        wanted: list[int] = []

        def member(
            pieces: list[list[Array]],
            buffers: list[Array],
            real: Array,
            latent: torch.Tensor,
            labels: Array,
            index: torch.Tensor,
        ) -> tuple[list[Array], ...]:
            stand_ins = {id(p): x for own, given in zip(game._parameters, pieces, strict=True)
                         for p, x in zip(own, given, strict=True)}  # fmt: skip
            stand_ins |= {id(tensor): buffer for tensor, buffer in zip(held, buffers, strict=True)}
            seeds = MemberSeeds(tokens.seeds, index)
            with standing_in(game.networks, stand_ins), seeds.layers():
                costs = game._network_costs(game.networks, MemberToken(real, latent, seeds, *labels), only)
                wanted[:] = [i for i, cost in enumerate(costs) if cost is not None]
                return [costs[i] for i in wanted], [box[key].detach() for box, key in places]

        numbers = torch.arange(len(tokens), device=self.device)
        given = (pieces, [b.clone() for b in self.buffers], *tokens.stacked, numbers)
        formulas = composite_formulas() if written_out else game._formulas()
        with torch.enable_grad(), game._module_state.fixed_norms(), formulas:
            found, buffers = torch.vmap(member, randomness="same")(*given)
        if keep and buffers:
            self._pending = buffers
        costs: list[Any] = [None] * len(self.players)
        for i, cost in zip(wanted, found, strict=True):
            costs[i] = cost
        return costs

    def _pieces(self, blocks: Sequence[Array], trained: Sequence[int]) -> list[list[Array]]:
        """Blocks (K, size) in tensors of the parameters' shapes; those of `trained` players are leaves."""
        self._blocks = [block.detach() for block in blocks]
        return [
            [piece.detach().unflatten(-1, p.shape or (1,)).reshape(len(piece), *p.shape).requires_grad_(i in trained)
             for piece, p in zip(block.split([p.numel() for p in own], -1), own, strict=True)]
            for i, (own, block) in enumerate(zip(self.game._parameters, blocks, strict=True))
        ]  # fmt: skip

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        pieces = self._pieces(self.split(w), ())
        costs = self.game._differentiated(lambda: self._evaluate(pieces, self._tokens(batch), None, False, False))
        return tuple(cost.detach() for cost in costs)

    def _tokens(self, batch: Batch) -> Tokens:
        return Tokens(game.reference for game in self.games) if batch is None else batch

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        if w.requires_grad and torch.is_grad_enabled():
            v = self._graph_of(w, batch, attached=True).field()
            mask = torch.zeros_like(w)
            mask[..., slice(None) if only is None else self.slices[only]] = 1
            return v * mask
        return self.field_of(self.split(w), batch, only, padded=True)

    def field_of(self, blocks: Sequence[object], batch: Batch, only: int | None, padded: bool) -> Array:
        """The field at blocks (K, size) of all players; of one player, its block, `padded` with zeros or not."""
        return self.game._differentiated(lambda: self._field_at(blocks, batch, only, padded))

    def _field_at(self, blocks: Sequence[Array], batch: Batch, only: int | None, padded: bool) -> Array:
        trained = range(len(self.players)) if only is None else [only]
        pieces = self._pieces(blocks, trained)
        costs = self._evaluate(pieces, self._tokens(batch), only, False, True)
        if only is None and self.zero_sum:
            both = slopes(costs[1], [*pieces[0], *pieces[1]])
            return self._joined([*(-t for t in both[: len(pieces[0])]), *both[len(pieces[0]) :]])
        found: list[Any] = []
        for i in range(len(self.players)):
            if i in trained:
                found += slopes(costs[i], pieces[i])
            elif padded:
                found.append(torch.zeros_like(blocks[i]))
        return self._joined(found)

    def _joined(self, tensors: Sequence[Array]) -> torch.Tensor:
        return torch.cat([t.flatten(1) for t in tensors], -1)

    # --- derivatives of the field ----------------------------------------------------------------------------------

    def field_and_graph(self, w: Array, batch: Batch = None) -> Array:
        """v(w), its graph kept for the products that follow."""
        if self.buffers or (w.requires_grad and torch.is_grad_enabled()):
            return self.field(w, batch)
        self.check(w)
        self.counts.player_gradients += len(self.players)
        self.counts.samples += self.batch_size(batch)
        return self._graph(w, batch).field().detach()

    def _graph(self, w: Array, batch: Batch, u: Array = None) -> FieldGraph:
        """The graph of the field at w, the one from the last call where w and the batch are the same objects."""
        tokens = self._tokens(batch)
        with self.put(0).undisturbed():
            self.game._hold_to_differences(w[0].detach(), tokens[0])
        if torch.is_grad_enabled() and (w.requires_grad or (u is not None and u.requires_grad)):
            return self._graph_of(w, tokens, attached=w.requires_grad)
        kept = self._graph_at
        if kept is None or kept[0] is not w or kept[1] != w._version or kept[2] is not batch:
            self._graph_at = kept = (w, w._version, batch, self._graph_of(w, tokens, attached=False))
        return kept[3]

    def _graph_of(self, w: Array, batch: Batch, attached: bool) -> FieldGraph:
        tokens, players = self._tokens(batch), range(len(self.players))
        blocks = [[block] for block in self.split(w)]
        pieces = self._pieces(self.split(w), players)
        if attached:
            pieces = [[piece.reshape(leaf.shape) for piece, leaf in zip(
                block.split([leaf[0].numel() for leaf in own], -1), own, strict=True)]
                for (block,), own in zip(blocks, pieces, strict=True)]  # fmt: skip
        costs = self._evaluate(pieces, tokens, None, True, False)
        return FieldGraph(blocks if attached else pieces, costs, 1, self.zero_sum, attached)

    def _jvp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self.game._product(lambda: self._graph(w, batch, u).jvp(u))

    def _vjp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self.game._product(lambda: self._graph(w, batch, u).vjp(u))

    def _coupling(self, w: Array, u: Array, batch: Batch, only: int | None) -> Array:
        return self.game._product(lambda: self._graph(w, batch, u).coupling(u, only))

    def _parts(self, w: Array, u: Array, batch: Batch) -> tuple[Array, Array]:
        parts: tuple[Array, Array] = self.game._product(lambda: self._graph(w, batch, u).parts(u))
        return parts

    def _cost_gradients(self, w: Array, batch: Batch) -> Array:
        if w.requires_grad and torch.is_grad_enabled():
            graph = self._graph_of(w, batch, attached=True)
            return torch.stack([slopes(cost, [w], create_graph=True)[0] for cost in graph._costs])
        pieces = self._pieces(self.split(w), range(len(self.players)))
        costs = self._evaluate(pieces, self._tokens(batch), None, False, False)
        flat = [t for own in pieces for t in own]
        return torch.stack([self._joined(slopes(cost, flat)) for cost in costs])

    def solve(self, operator: object, rhs: Array) -> Array:
        """Refused: an inner solver that stops by one residual for all members would not stop as each alone.

        Raises:
            DomainError: always.
        """
        raise DomainError("a rule that solves linear systems, on many networks at once", "a rule without", FIX)

    def restrict(self, which: int | str, w: Array) -> RestrictedGame:
        """Player `which`'s own problem in every member; no gradient of others is computed."""
        return EnsembleView(self, self.player_index(which), w)

    def project(self, w: Array) -> Array:
        """The discriminators' blocks brought to the feasible set of constraints such as weight clipping."""
        if not self.constrained:
            return w
        first, second = self.split(w)
        for penalty in self.penalties:
            second = penalty.project(second)
        return torch.cat([first, second], -1)

    def advance(self) -> None:
        """Once per step: the buffers of living members become those of the last field, spectral norms follow."""
        if self._pending is not None:
            self.buffers = [torch.where(self.alive.view(-1, *(1,) * (new.ndim - 1)), new, old)
                            for new, old in zip(self._pending, self.buffers, strict=True)]  # fmt: skip
        self._pending, self._graph_at = None, None
        state = self.game._module_state
        if state.powers or state.estimates:
            self._refresh()

    def _refresh(self) -> None:
        """Power iterations of the living members, each at the weights that were evaluated last."""
        for k in self.alive.nonzero().flatten().tolist():
            game = self.put(k)
            game._load(*(block[k] for block in self._blocks))
            game._module_state.refresh()
            for (held, key), buffer in zip(self._held[k], self.buffers, strict=True):
                buffer[k] = held[key]


class EnsembleView(RestrictedGame):
    """One player's problem in every member: its blocks go straight to the networks."""

    game: Ensemble

    def field(self, w: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """The player's own gradients, (K, size)."""
        if (w.requires_grad or self.fixed.requires_grad) and torch.is_grad_enabled():
            return super().field(w, batch, only)
        self.counts.player_gradients += 1
        self.counts.samples += self.game.batch_size(batch)
        blocks = [w if i == self.index else block for i, block in enumerate(self.game.split(self.fixed))]
        return self.game.field_of(blocks, batch, self.index, padded=False)
