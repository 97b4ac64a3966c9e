"""Games between networks: each player's parameters are views into one flat buffer, so a rule sees plain vectors."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..types import Array, Batch, RestrictedGame
from .field_graph import FieldGraph, slopes
from .flat import FlatNetworks, flattened
from .functional import FunctionalNetwork, Network
from .krylov import KrylovReport, gmres
from .network_view import NetworkView

__all__ = ["FunctionalNetwork", "Network", "NetworkGame", "NetworkView"]


class NetworkGame(FlatNetworks):
    """A game whose players are `torch.nn.Module`s; its joint vector w (d,) is all their parameters, player by player.

    Plain fields run the modules themselves on parameters that are views into one buffer: w is copied in, gradients come
    out in a fresh vector, so no result is ever overwritten. Products with the Jacobian are backward passes through the
    graph of such a field. Where w or u requires gradients, or buffers change with each evaluation, the same costs run
    on `torch.func.functional_call`.

    A subclass gives `_network_costs` and `draw`. Batch tokens with a `seed` attribute seed dropout and noise: an
    evaluation leaves torch's own random state and all module buffers as they were. `advance()` takes over the buffers
    (BatchNorm statistics, spectral-norm vectors) of the last plain field evaluated since the previous call.

    Attributes:
        networks: the modules, in the order of the players.
        w0: the parameters as they were when the game was made; also called `initial`.
        stochastic: some layer draws random numbers in training mode.
        last_solve: iterations and residual of the last `solve`.
    """

    def __init__(self, name: str, networks: Mapping[str, Any]) -> None:
        super().__init__(name, networks)
        self._kept_graph: tuple[Any, int, Any, FieldGraph] | None = None
        self.last_solve: KrylovReport | None = None

    def advance(self) -> None:
        """Once per step: buffers become those that the step's last plain field left; memory of old points goes."""
        super().advance()
        self._kept_graph = None

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Leaves parameters in modules, buffers, modes and torch's random state as they were, bit for bit."""
        solved = self.last_solve
        try:
            with super().undisturbed():
                yield
        finally:
            self.last_solve, self._kept_graph = solved, None

    # --- evaluations on the modules: the hot path --------------------------------------------------------------

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        import torch

        if w.requires_grad and torch.is_grad_enabled():
            return self._field_of(w, batch, only, create_graph=True)
        self._load(w)
        return self._module_field(batch, only, padded=True)

    def field_and_graph(self, w: Array, batch: Batch = None) -> Array:
        """v(w), its graph kept for the products that follow; `field` where buffers change with each evaluation."""
        import torch

        if self._persistent or (w.requires_grad and torch.is_grad_enabled()):
            return self.field(w, batch)
        self.check(w)
        self.counts.player_gradients += len(self.players)
        self.counts.samples += self.batch_size(batch)
        return self._graph(w, batch).field().detach()

    def _module_field(self, batch: Batch, only: int | None, padded: bool) -> Any:
        """The field of the parameters that are loaded, in a fresh vector; of one player, its block, `padded` or not."""
        import torch

        with torch.enable_grad(), self._evaluation(batch, training=True):
            costs = self._network_costs(self.networks, batch, only)
            if only is not None:
                own = torch.autograd.grad(costs[only], self._parameters[only], materialize_grads=True)
                return flattened([*self._zeros(range(only), padded), *own, *self._zeros(self._after(only), padded)])
            if self.zero_sum:
                everything = (*itertools.chain(*self._parameters),)
                flat = flattened(torch.autograd.grad(costs[1], everything, materialize_grads=True))
                flat[self.slices[0]].neg_()
                return flat
            last = len(costs) - 1
            return flattened([
                gradient
                for i, (cost, own) in enumerate(zip(costs, self._parameters, strict=True))
                for gradient in torch.autograd.grad(cost, own, retain_graph=i < last, materialize_grads=True)
            ])  # fmt: skip

    def _after(self, index: int) -> range:
        return range(index + 1, len(self.players))

    def _zeros(self, players: range, padded: bool) -> list[Any]:
        return [self._buffer.new_zeros(self.players[i].size) for i in players] if padded else []

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        import torch

        if w.requires_grad and torch.is_grad_enabled():
            return self._costs_of(self.split(w), batch)
        self._load(w)
        with torch.enable_grad(), self._evaluation(batch, training=False):
            return tuple(cost.detach() for cost in self._network_costs(self.networks, batch, None))

    # --- evaluations as functions of w: derivatives of the field ------------------------------------------------

    def _functions(self, blocks: Sequence[Any]) -> list[Network]:
        """The networks as functions of blocks of w; their buffers are copies."""
        functions: list[Network] = []
        for network, names, own, block in zip(self.networks, self._names, self._parameters, blocks, strict=True):
            pieces = block.split([p.numel() for p in own])
            values = {name: piece.view_as(p) for name, piece, p in zip(names, pieces, own, strict=True)}
            values |= {name: buffer.clone() for name, buffer in network.named_buffers()}
            functions.append(FunctionalNetwork(network, values))
        return functions

    def _costs_of(self, blocks: Sequence[Any], batch: Batch) -> tuple[Any, ...]:
        with self._seeded(batch):
            return self._network_costs(self._functions(blocks), batch, None)

    def _field_of(self, w: Any, batch: Batch, only: int | None, create_graph: bool) -> Any:
        import torch

        blocks = self.split(w)
        costs = self._costs_of(blocks, batch)
        return torch.cat([
            slopes(cost, [block], create_graph)[0] if only in (None, i) else torch.zeros_like(block)
            for i, (cost, block) in enumerate(zip(costs, blocks, strict=True))
        ])  # fmt: skip

    def _graph(self, w: Array, batch: Batch, u: Any = None) -> FieldGraph:
        """The graph of the field at w, the one from the last call where w and the batch are the same objects.

        It refers to the parameters in the buffer, so w is loaded again before each product. With derivatives in w or in
        u it stands on w itself, and is not kept.
        """
        import torch

        if torch.is_grad_enabled() and (w.requires_grad or (u is not None and u.requires_grad)):
            return self._graph_of(w, batch, attached=w.requires_grad)
        kept = self._kept_graph
        if kept is None or kept[0] is not w or kept[1] != w._version or kept[2] is not batch:
            self._kept_graph = kept = (w, w._version, batch, self._fresh_graph(w, batch))
        elif not self._persistent:
            self._load(w)
        return kept[3]

    def _fresh_graph(self, w: Array, batch: Batch) -> FieldGraph:
        import torch

        if self._persistent:
            return self._graph_of(w, batch, attached=False)
        self._load(w)
        with torch.enable_grad(), self._evaluation(batch, training=False):
            return FieldGraph(self._parameters, self._network_costs(self.networks, batch, None), zero_sum=self.zero_sum)

    def _graph_of(self, w: Array, batch: Batch, attached: bool) -> FieldGraph:
        import torch

        with torch.enable_grad():
            blocks = self.split(w if attached else w.detach().requires_grad_())
            costs = self._costs_of(blocks, batch)
            return FieldGraph([[b] for b in blocks], costs, zero_sum=self.zero_sum, attached=attached)

    def _jvp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self._graph(w, batch, u).jvp(u)

    def _vjp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self._graph(w, batch, u).vjp(u)

    def _coupling(self, w: Array, u: Array, batch: Batch, only: int | None) -> Array:
        return self._graph(w, batch, u).coupling(u, only)

    def _parts(self, w: Array, u: Array, batch: Batch) -> tuple[Array, Array]:
        return self._graph(w, batch, u).parts(u)

    def _cost_gradients(self, w: Array, batch: Batch) -> Array:
        import torch

        if w.requires_grad and torch.is_grad_enabled():
            return torch.stack(
                [slopes(cost, [w], create_graph=True)[0] for cost in self._costs_of(self.split(w), batch)]
            )
        self._load(w)
        everything = [*itertools.chain(*self._parameters)]
        with torch.enable_grad(), self._evaluation(batch, training=False):
            costs = self._network_costs(self.networks, batch, None)
            if self.zero_sum:
                flat = flattened(slopes(costs[1], everything))
                return torch.stack([-flat, flat])
            return torch.stack([flattened(slopes(cost, everything)) for cost in costs])

    def solve(self, operator: Callable[[Array], Array], rhs: Array, tolerance: float | None = None) -> Array:
        """x with operator(x) = rhs by GMRES to a tolerance of 1e3 rounding units by default; see `last_solve`."""
        import torch

        tolerance = 1e3 * torch.finfo(rhs.dtype).eps if tolerance is None else tolerance
        solution, self.last_solve = gmres(operator, rhs, tolerance)
        return solution

    def restrict(self, which: int | str, w: Array) -> RestrictedGame:
        """Player `which`'s own problem; its field computes no other player's gradient and builds no joint vector."""
        return NetworkView(self, self.player_index(which), w)
