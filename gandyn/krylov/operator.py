"""A linear operator on torch vectors, as bases and eigenvalue solvers ask for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from ..lazy import torch
from ..worlds import Array

GENERAL, SYMMETRIC, SKEW = "general", "symmetric", "skew"


@dataclasses.dataclass
class Operator:
    """A linear operator on torch vectors, given by its products.

    Attributes:
        name: what it is called. apply: u -> A u, shape (n,). like: a vector of its size, dtype and device.
        kind: "general", "symmetric" or "skew": which LAPACK solver the small matrix gets.
        cost: products with J or its transpose in one application. applications: so far.
        function: a smooth function whose derivative at `like` it is, where one is at hand for comparison.
    """

    name: str
    apply: Callable[[Array], Array]
    like: Array
    kind: str = GENERAL
    cost: int = 1
    applications: int = 0
    function: Callable[[Array], Array] | None = None

    def __call__(self, u: Array) -> Array:
        """A u, outside any graph."""
        self.applications += 1
        return self.apply(u).detach()

    @property
    def size(self) -> int:
        """The dimension n of the space that the operator acts on."""
        return int(self.like.shape[0])

    @property
    def precision(self) -> float:
        """The rounding unit of its vectors."""
        return float(torch.finfo(self.like.dtype).eps)

    @property
    def products(self) -> int:
        """Products with J or its transpose so far."""
        return self.applications * self.cost
