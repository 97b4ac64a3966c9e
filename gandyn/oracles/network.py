"""Games between networks: each player's parameters are views into one flat buffer, so a rule sees plain vectors."""

from __future__ import annotations

import contextlib
import itertools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..krylov.solvers import Solve, gmres
from ..lazy import torch
from ..types import Array, Batch, RestrictedGame
from .field_graph import FieldGraph, slopes
from .flat import TRAINS, FlatNetworks
from .functional import FunctionalNetwork, Network
from .module_state import standing_in
from .network_view import NetworkView
from .packing import flat, flattened, shaped

__all__ = ["FunctionalNetwork", "Network", "NetworkGame", "NetworkView"]


class NetworkGame(FlatNetworks):
    """A game whose players are `torch.nn.Module`s; its joint vector w (d,) is all their parameters, player by player.

    Plain fields run the modules themselves on parameters that are views into one buffer: w is copied in, gradients come
    out in a fresh vector, so no result is ever overwritten. Products with the Jacobian are backward passes through the
    graph of such a field. Where w or u requires gradients, or buffers change with each evaluation, pieces of w stand in
    for the modules' parameters. Graphs that are differentiated further are made of layers written out (`composite`),
    since higher derivatives of torch's own kernels are wrong or missing; the first products of a game are held to
    differences of its field, and refused where they disagree (`product_check`).

    A subclass gives `_network_costs` and `draw`. Batch tokens with a `seed` attribute seed dropout and noise: an
    evaluation leaves torch's own random state and all module buffers as they were. `advance()` takes over the buffers
    (BatchNorm statistics, spectral-norm vectors) of the last plain field evaluated since the previous call.

    Attributes:
        networks: the modules, in the order of the players.
        w0: the parameters as they were when the game was made; also called `initial`.
        stochastic: some layer draws random numbers in training mode.
        last_solve: iterations and residual of the last `solve`.
        summed: a context around each backward pass of a plain field, which sums its slopes over processes; or None.
    """

    def __init__(self, name: str, networks: Mapping[str, object]) -> None:
        super().__init__(name, networks)
        self._kept_graph: tuple[Any, int, Any, FieldGraph] | None = None
        self._held_to_differences = self._slopes_next = False
        self.last_solve: Solve | None = None
        self.summed: Callable[[Sequence[Array]], contextlib.AbstractContextManager[Any]] | None = None

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
        if w.requires_grad and torch.is_grad_enabled():
            return self._field_of(w, batch, only, create_graph=True)
        self._load(w)
        return self._module_field(batch, only, padded=True)

    def field_and_graph(self, w: Array, batch: Batch = None) -> Array:
        """v(w), its graph kept for the products that follow; `field` where buffers change with each evaluation."""
        if self._moving or (w.requires_grad and torch.is_grad_enabled()):
            return self.field(w, batch)
        self.check(w)
        self.counts.player_gradients += len(self.players)
        self.counts.samples += self.batch_size(batch)
        return self._graph(w, batch).field().detach()

    def _module_field(self, batch: Batch, only: int | None, padded: bool) -> Array:
        """The field of the parameters that are loaded, in a fresh vector; of one player, its block, `padded` or not."""
        return self._differentiated(lambda: self._loaded_field(batch, only, padded))

    def _loaded_field(self, batch: Batch, only: int | None, padded: bool) -> Array:
        with torch.enable_grad(), self._evaluation(batch, training=True):
            costs = self._costs_to_differentiate(batch, only)
            if only is not None:
                own = self._slopes(costs[only], [only])
                return torch.cat([*self._zeros(range(only)), own, *self._zeros(self._after(only))]) if padded else own
            if self.zero_sum:
                joint = self._slopes(costs[1], [0, 1])
                joint[self.slices[0]].neg_()
                return joint
            last = len(costs) - 1
            return torch.cat([self._slopes(cost, [i], keep=i < last) for i, cost in enumerate(costs)])

    def _costs_to_differentiate(self, batch: Batch, only: int | None) -> tuple[Array, ...]:
        """The costs, whose slopes in their own players' parameters are taken next, once, and nothing else of them."""
        self._slopes_next = self.summed is None
        try:
            return self._network_costs(self.networks, batch, only)
        finally:
            self._slopes_next = False

    def _slopes(self, cost: Array, players: Sequence[int], keep: bool = False) -> Array:
        """d(cost)/d(parameters of some players), in a fresh vector; zeros for those that are frozen. Raises
        GameError if the cost does not reach a player's parameters at all.
        """
        everything = [p for i in players for p in self._parameters[i]]
        if self.summed is None:
            return flattened(self._found(cost, players, everything, keep), everything)
        with self.summed(everything) as over_processes:
            found = self._found(cost, players, everything, keep)
            pieces = [flat(slope, p) for slope, p in zip(found, everything, strict=True)]
        return torch.cat(over_processes(pieces))

    def _found(self, cost: Array, players: Sequence[int], everything: Sequence[Any], keep: bool) -> Sequence[Array]:
        """The slopes one by one, shaped like the parameters."""
        wanted = everything if all(map(TRAINS, everything)) else [p for p in everything if p.requires_grad]
        found: Sequence[Array] = ()
        if wanted and cost.requires_grad:
            found = torch.autograd.grad(cost, wanted, retain_graph=keep, allow_unused=True)
        if len(found) == len(everything) and not any(map(operator.is_, found, itertools.repeat(None))):
            for i in players:
                self._left_out(i, ())
            return found
        reached = {id(p): slope for p, slope in zip(wanted, found, strict=False) if slope is not None}
        for i in players:
            missing = [p for p in self._parameters[i] if id(p) not in reached]
            if len(missing) == len(self._parameters[i]) and any(map(TRAINS, missing)):
                raise self._unreached(i)
            self._left_out(i, missing)
        return [torch.zeros_like(p) if id(p) not in reached else reached[id(p)] for p in everything]

    def _left_out(self, player: int, missing: Sequence[Array]) -> None:
        """Called for every plain field with the parameters of a player that its cost did not reach."""

    def _after(self, index: int) -> range:
        return range(index + 1, len(self.players))

    def _zeros(self, players: range) -> list[Array]:
        return [self._buffer.new_zeros(self.players[i].size) for i in players]

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        if w.requires_grad and torch.is_grad_enabled():
            return self._costs_of(self._pieces(self.split(w)), batch)
        self._load(w)
        with torch.enable_grad(), self._evaluation(batch, training=False):
            return tuple(cost.detach() for cost in self._network_costs(self.networks, batch, None))

    # --- evaluations as functions of w: derivatives of the field ------------------------------------------------

    @property
    def _moving(self) -> bool:
        """Whether evaluations move buffers, or leave parameters out: then graphs stand on w and not on the modules."""
        return bool(self._module_state.places) or not all(p.requires_grad for own in self._parameters for p in own)

    def _pieces(self, blocks: Sequence[Array]) -> list[list[Array]]:
        """Blocks of w in tensors shaped like the parameters."""
        return [
            [shaped(piece, p) for piece, p in zip(block.split([p.numel() for p in own]), own, strict=True)]
            for own, block in zip(self._parameters, blocks, strict=True)
        ]

    def _costs_of(self, pieces: Sequence[Sequence[Array]], batch: Batch, written_out: bool = True) -> tuple[Array, ...]:
        """The costs where `pieces` stand in for the parameters, and copies for the buffers."""
        from .composite import composite_formulas

        values = {
            id(p): piece if p.requires_grad else piece.detach()
            for own, given in zip(self._parameters, pieces, strict=True)
            for p, piece in zip(own, given, strict=True)
        }
        like = next(iter(values.values()))
        for network in self.networks:
            for b in network.buffers():
                values[id(b)] = b.to(like.dtype) if like.dtype != self.dtype and b.dtype == self.dtype else b.clone()
        formulas = composite_formulas() if written_out else self._formulas()
        with self._seeded(batch), self._module_state.fixed_norms(), standing_in(self.networks, values), formulas:
            return self._network_costs(self.networks, batch, None)

    def _field_of(
        self, w: Array, batch: Batch, only: int | None, create_graph: bool, written_out: bool = True
    ) -> Array:
        blocks = self.split(w)
        costs = self._differentiated(lambda: self._costs_of(self._pieces(blocks), batch, written_out))
        return torch.cat([
            slopes(cost, [block], create_graph)[0] if only in (None, i) else torch.zeros_like(block)
            for i, (cost, block) in enumerate(zip(costs, blocks, strict=True))
        ])  # fmt: skip

    def _graph(self, w: Array, batch: Batch, u: Array = None) -> FieldGraph:
        """The graph of the field at w, the one from the last call where w and the batch are the same objects.

        It refers to the parameters in the buffer, so w is loaded again before each product. With derivatives in w or in
        u it stands on w itself, and is not kept.
        """
        self._hold_to_differences(w, batch)
        if torch.is_grad_enabled() and (w.requires_grad or (u is not None and u.requires_grad)):
            return self._graph_of(w, batch, attached=w.requires_grad)
        kept = self._kept_graph
        if kept is None or kept[0] is not w or kept[1] != w._version or kept[2] is not batch:
            self._kept_graph = kept = (w, w._version, batch, self._fresh_graph(w, batch))
        elif not self._moving:
            self._load(w)
        return kept[3]

    def _fresh_graph(self, w: Array, batch: Batch) -> FieldGraph:
        graph: FieldGraph = self._differentiated(lambda: self._made_graph(w, batch))
        return graph

    def _made_graph(self, w: Array, batch: Batch) -> FieldGraph:
        from .composite import composite_formulas

        if self._moving:
            return self._graph_of(w, batch, attached=False)
        self._load(w)
        with torch.enable_grad(), self._evaluation(batch, training=False), composite_formulas():
            costs = self._network_costs(self.networks, batch, None)
        with torch.enable_grad():
            return FieldGraph(self._parameters, costs, zero_sum=self.zero_sum)

    def _graph_of(self, w: Array, batch: Batch, attached: bool) -> FieldGraph:
        with torch.enable_grad():
            if attached:
                blocks = self.split(w)
                costs = self._costs_of(self._pieces(blocks), batch)
                return FieldGraph([[b] for b in blocks], costs, zero_sum=self.zero_sum, attached=True)
            pieces = [[p.detach().requires_grad_() for p in own] for own in self._pieces(self.split(w))]
            return FieldGraph(pieces, self._costs_of(pieces, batch), zero_sum=self.zero_sum)

    # --- products -----------------------------------------------------------------------------------------------

    def _hold_to_differences(self, w: Array, batch: Batch) -> None:
        """Raises NotDifferentiableError where this game's first products are not differences of its field."""
        if self._held_to_differences or (w.is_cuda and torch.cuda.is_current_stream_capturing()):
            return
        from .product_check import check_products, refuse_unconfirmed

        self._held_to_differences = True
        try:
            refuse_unconfirmed(check_products(self, w, batch), self.name)
        except Exception:
            self._held_to_differences = False
            raise

    def _product(self, compute: Callable[[], Any]) -> Array:
        """A product, or torch's refusal as an error of ours."""
        try:
            return compute()
        except RuntimeError as error:
            from .product_check import missing_derivative, refusal

            if missing_derivative(error) is None:
                raise
            raise refusal(error, self.name) from error

    def oracle_in_double(self, batch: Batch) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
        """(field, products) as functions of w in double precision: v(w), and w -> (u -> J u, u -> J^T u)."""
        from .product_check import double_precision

        def field(w: Array) -> Array:
            with double_precision():
                return self._field_of(w.detach().requires_grad_(), batch, None, False, written_out=False)

        def products(w: Array) -> Any:
            with double_precision():
                graph = self._graph_of(w, batch, attached=False)
            return graph.jvp, graph.vjp

        return field, products

    def _jvp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self._product(lambda: self._graph(w, batch, u).jvp(u))

    def _vjp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self._product(lambda: self._graph(w, batch, u).vjp(u))

    def _coupling(self, w: Array, u: Array, batch: Batch, only: int | None) -> Array:
        return self._product(lambda: self._graph(w, batch, u).coupling(u, only))

    def _parts(self, w: Array, u: Array, batch: Batch) -> tuple[Array, Array]:
        parts: tuple[Array, Array] = self._product(lambda: self._graph(w, batch, u).parts(u))
        return parts

    def _cost_gradients(self, w: Array, batch: Batch) -> Array:
        if w.requires_grad and torch.is_grad_enabled():
            costs = self._costs_of(self._pieces(self.split(w)), batch)
            return torch.stack([slopes(cost, [w], create_graph=True)[0] for cost in costs])
        self._load(w)
        return self._differentiated(lambda: self._loaded_cost_gradients(batch))

    def _loaded_cost_gradients(self, batch: Batch) -> Array:
        everything = [*itertools.chain(*self._parameters)]
        with torch.enable_grad(), self._evaluation(batch, training=False):
            costs = self._network_costs(self.networks, batch, None)
            if self.zero_sum:
                found = flattened(slopes(costs[1], everything), everything)
                return torch.stack([-found, found])
            return torch.stack([flattened(slopes(cost, everything), everything) for cost in costs])

    def solve(self, operator: Callable[[Array], Array], rhs: Array, tolerance: float | None = None) -> Array:
        """x with operator(x) = rhs by GMRES to a tolerance of 1e3 rounding units by default; see `last_solve`."""
        tolerance = 1e3 * torch.finfo(rhs.dtype).eps if tolerance is None else tolerance
        rhs = rhs.detach()
        solution, report = gmres(lambda u: operator(u).detach(), rhs, tolerance=tolerance)
        size = float(rhs.norm())
        measured = float((rhs - operator(solution).detach()).norm()) / size if size else 0.0
        self.last_solve = Solve(report["iterations"], measured, measured <= 10 * tolerance)
        return solution

    def restrict(self, which: int | str, w: Array) -> RestrictedGame:
        """Player `which`'s own problem; its field computes no other player's gradient and builds no joint vector."""
        return NetworkView(self, self.player_index(which), w)
