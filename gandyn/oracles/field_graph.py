"""Products with the Jacobian of a torch game: backward passes through one kept graph of the players' gradients."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from ..lazy import torch
from ..types import Array
from .packing import flattened, shaped


class FieldGraph:
    """The graph of the players' gradients at one point, kept so that many products with J or its transpose reuse it.

    A product is a backward pass through that graph, restricted to the blocks that it needs: with u held fixed, J_ij u_j
    is the gradient of <df_i/dx_j, u_j> in x_i, and J_ij^T u_i that of <df_i/dx_i, u_i> in x_j. In a two-player zero-sum
    game the gradient of one cost holds both players', and J_12 = -J_21^T, so that a product is one pass of either kind.
    In a general-sum game J^T u is one pass and J u one for each player. Asked for J u again, the graph is made once of
    p -> J^T p as well, which costs about a pass more; J u is its derivative in p, and one pass from then on.

    `blocks` are for each player the tensors that its block packs, of shape (..., *own), in the graph of the costs;
    `lead` counts their leading axes. With `zero_sum`, f_2 = -f_1, only f_2 is differentiated. With `attached`, products
    carry derivatives on to where the blocks came from, so that a rule's step, Jacobian products included, can itself be
    differentiated.
    """

    def __init__(
        self,
        blocks: Sequence[Sequence[Array]],
        costs: Sequence[Array],
        lead: int = 0,
        zero_sum: bool = False,
        attached: bool = False,
    ) -> None:
        self.blocks, self.lead, self.attached, self.zero_sum = tuple(map(tuple, blocks)), lead, attached, zero_sum
        self.players = range(len(self.blocks))
        self._sizes = [[p.shape[lead:].numel() for p in block] for block in self.blocks]
        self._costs = (costs[1], costs[1]) if zero_sum else tuple(costs)
        self._slopes: dict[tuple[int, int], tuple[torch.Tensor | None, ...]] = {}
        self._asked = False
        self._adjoint: tuple[list[torch.Tensor], list[list[torch.Tensor]]] | None = None
        if zero_sum:
            ends = len(self.blocks[0])
            both = slopes(costs[1], [*self.blocks[0], *self.blocks[1]], create_graph=True)
            first, second = both[:ends], both[ends:]
            self._slopes = {(0, 0): first, (1, 0): first, (0, 1): second, (1, 1): second}
        self._own = [self._slope(i, i) for i in self.players]

    def field(self) -> Array:
        """v, shape (..., d)."""
        return self._join([[self._signed(t, i) for t in slope] for i, slope in enumerate(self._own)])

    def vjp(self, u: Array) -> Array:
        """J^T u: the gradient of the sum over i of <df_i/dx_i, u_i>."""
        terms = [(i, i, block) for i, block in enumerate(self._split(u))]
        return self._join(self._pull(terms, self.players))

    def jvp(self, u: Array) -> Array:
        """J u: block i is the gradient of <df_i/dw, u> in x_i; see the class for the number of passes."""
        blocks = self._split(u)
        if self.zero_sum:
            pulled = self._pull([(1, j, block) for j, block in enumerate(blocks)], self.players)
            return self._join([[-t for t in pulled[0]], pulled[1]])
        if self._again(u):
            return self._jvp_by_adjoint(blocks)
        return self._join([self._pull([(i, j, blocks[j]) for j in self.players], [i])[0] for i in self.players])

    def _again(self, u: Array) -> bool:
        """Whether J u was asked for before, so that the graph of p -> J^T p pays; not where derivatives go on."""
        before, self._asked = self._asked, True
        return before and not self.attached and not u.requires_grad

    def _jvp_by_adjoint(self, blocks: Sequence[Array]) -> Array:
        """The derivative of p -> J^T p, along the transposed direction: J u, one pass for all players."""
        if self._adjoint is None:
            with torch.enable_grad():
                probes = [torch.zeros_like(block).requires_grad_() for block in blocks]
                self._adjoint = probes, self._pull([(i, i, probe) for i, probe in enumerate(probes)], self.players)
        probes, pulled = self._adjoint
        outputs, weights = [], []
        for j, block in enumerate(blocks):
            for output, weight in zip(pulled[j], self._unpack(block, j), strict=True):
                if output.requires_grad:
                    outputs.append(output)
                    weights.append(weight)
        if not outputs:
            return torch.cat([*map(torch.zeros_like, blocks)], -1)
        found = torch.autograd.grad(outputs, probes, weights, retain_graph=True, materialize_grads=True)
        return torch.cat(found, -1)

    def coupling(self, u: Array, only: int | None = None) -> Array:
        """J_o u, where J_o is J without each player's own Hessian; of one player, its block, and zeros elsewhere."""
        blocks = self._split(u)
        return self._join([
            [torch.zeros_like(p) for p in self.blocks[i]]
            if only not in (None, i)
            else self._pull([(i, j, blocks[j]) for j in self.players if j != i], [i])[0]
            for i in self.players
        ])  # fmt: skip

    def parts(self, u: Array) -> tuple[Array, Array]:
        """(S u, A u), where S and A are the symmetric and the antisymmetric part of J.

        From J_d u and J_o^T u, one pass for each player, and J_o u, which is -J_o^T u in a zero-sum game; in a
        general-sum game asked again, from J u and J^T u, one pass each.
        """
        blocks = self._split(u)
        if not self.zero_sum and self._again(u):
            forward, backward = self._jvp_by_adjoint(blocks), self.vjp(u)
            return (forward + backward) / 2, (forward - backward) / 2
        shares = [self._pull([(i, i, blocks[i])], self.players) for i in self.players]
        own = self._join([shares[i][i] for i in self.players])
        across = self._join([
            [sum(found, torch.zeros_like(p)) if len(found) != 1 else found[0]
             for p, *found in zip(self.blocks[i], *(s[i] for j, s in enumerate(shares) if j != i), strict=True)]
            for i in self.players
        ])  # fmt: skip
        if self.zero_sum:
            return own, -across
        coupled = self.coupling(u)
        return own + (coupled + across) / 2, (coupled - across) / 2

    # --- one backward pass -------------------------------------------------------------------------------------

    def _slope(self, i: int, j: int) -> tuple[Array, ...]:
        """df_i/dx_j, in tensors; in a zero-sum game df_2/dx_j for both players."""
        if (i, j) not in self._slopes:
            self._slopes[i, j] = slopes(self._costs[i], self.blocks[j], create_graph=True)
        return self._slopes[i, j]

    def _signed(self, block: Array, i: int) -> Array:
        """What player i's cost makes of slopes of the cost that stands for it."""
        return -block if self.zero_sum and i == 0 else block

    def _pull(self, terms: Sequence[tuple[int, int, torch.Tensor]], wanted: Sequence[int]) -> list[list[Array]]:
        """Gradients of the sum of <df_i/dx_j, u_j> over terms (i, j, u_j), in the blocks of the players wanted."""
        outputs, weights = [], []
        for i, j, block in terms:
            for slope, weight in zip(self._slope(i, j), self._unpack(self._signed(block, i), j), strict=True):
                if slope.requires_grad:
                    outputs.append(slope)
                    weights.append(weight)
        inputs = [p for i in wanted for p in self.blocks[i]]
        further = self.attached or (torch.is_grad_enabled() and any(w.requires_grad for w in weights))
        found = (
            torch.autograd.grad(
                outputs, inputs, weights, retain_graph=True, create_graph=further, materialize_grads=True
            )
            if outputs
            else tuple(map(torch.zeros_like, inputs))
        )
        pieces = iter(found)
        return [[*itertools.islice(pieces, len(self.blocks[i]))] for i in wanted]

    def _split(self, u: Array) -> tuple[Array, ...]:
        return tuple(u.split([sum(sizes) for sizes in self._sizes], -1))

    def _unpack(self, block: Array, j: int) -> tuple[Array, ...]:
        pieces = block.split(self._sizes[j], -1)
        if not self.lead:
            return tuple(shaped(piece, p) for piece, p in zip(pieces, self.blocks[j], strict=True))
        return tuple(piece.reshape(p.shape) for piece, p in zip(pieces, self.blocks[j], strict=True))

    def _join(self, blocks: Sequence[Sequence[Array]]) -> Array:
        if not self.lead:
            return flattened([*itertools.chain(*blocks)], [*itertools.chain(*self.blocks)])
        return torch.cat([t.flatten(self.lead) for t in itertools.chain(*blocks)], -1)


def slopes(cost: Array, tensors: Sequence[Array], create_graph: bool = False) -> tuple[Array, ...]:
    """d(sum of cost)/d(tensor) for each, zeros where the graph does not connect them; the graph is kept."""
    reached = [t for t in tensors if t.requires_grad] if cost.requires_grad else []
    found = torch.autograd.grad(
        cost, reached, torch.ones_like(cost), retain_graph=True, create_graph=create_graph, materialize_grads=True
    ) if reached else ()  # fmt: skip
    each = iter(found)
    return tuple(next(each) if reached and t.requires_grad else torch.zeros_like(t) for t in tensors)


def gradient(cost: Array, block: Array, create_graph: bool = False) -> Array:
    """d(sum of cost)/d(block), zeros where the graph does not connect them; the graph is kept."""
    return slopes(cost, [block], create_graph)[0]
