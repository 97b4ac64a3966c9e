"""Products with J held to differences of the field, in double precision: does one say what the other does?"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import warnings
from collections.abc import Callable
from typing import Any

from ..errors import GandynError, NotDifferentiableError
from ..lazy import torch
from ..types import Array, Batch, Game
from .composite import calls_through

Product = Callable[[Array], Array]  # of J, or of its transpose, with a vector
STEPS = (1e-6, 1e-7, 1e-8, 1e-5, 1e-4, 1e-3, 1e-2)  # of differences, relative to the size of the coordinates
LONG_STEPS = (1e-2, 3e-2, 1e-3, 1e-1)
TOLERANCES = {"double": 1e-6, "single": 1e-2}
SEED = 20
MISSING = (
    r"derivative for '?(?:aten::)?(\w+)'? is not implemented",
    r"(once_differentiable)",
    r"(reshape) is not implemented for sparse tensors",  # gradients of a sparse embedding
    r"(use_reentrant=True), torch.utils.checkpoint is incompatible",
    r"(torch\.compile) with aot_autograd does not currently support double backward",
    r"(backward function) was compiled with",  # of a graph that is kept
)


class UncheckedProductsWarning(UserWarning):
    """Products with J of a field that is no function of w, which nothing can confirm."""


@dataclasses.dataclass(frozen=True)
class ProductCheck:
    """How far products with J are from central differences of the field."""

    # the largest relative difference |J_ij u - (v_i(w + h u) - v_i(w - h u)) / 2h| / |J_ij u| over blocks (i, j) and
    # random directions u in block j, and of the adjoint identity <t, J u> = <J^T t, u>, for the best of several h. nan
    # where the field is not a function of w, so that it has no derivative
    error: float
    precision: str  # in which it was computed, "double" or "single"

    @property
    def tolerance(self) -> float:
        """What is taken for agreement: 1e-6, or 1e-2 in single precision."""
        return TOLERANCES[self.precision]

    @property
    def confirmed(self) -> bool:
        """Whether products are derivatives of the field, to the tolerance."""
        return self.error <= self.tolerance

    def __str__(self) -> str:
        if self.error != self.error:
            return "products with J not checked: the field differs from call to call at one point"
        verdict = "" if self.confirmed else ": not derivatives of the field"
        return (
            f"products with J against differences of the field: {self.error:.1e} ({self.precision} precision){verdict}"
        )


UNTOUCHED = {"requires_grad_", "__get__", "__set__", "grad", "backward", "size", "dim", "copy_", "numel", "data_ptr"}


def double_precision() -> contextlib.AbstractContextManager[object]:
    """A context in which operations on single-precision tensors are done, and answered, in double precision."""

    def call(func: Any, args: Any, kwargs: Any) -> Any:
        if getattr(func, "__name__", "") in UNTOUCHED:
            return func(*args, **kwargs)
        return func(*_doubled(args), **_doubled(kwargs))

    return calls_through(call)


def _doubled(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.double() if value.dtype in (torch.float32, torch.float16, torch.bfloat16) else value
    if value is torch.float32:
        return torch.float64
    if type(value) in (tuple, list):
        return type(value)(map(_doubled, value))
    return {key: _doubled(v) for key, v in value.items()} if type(value) is dict else value


def check_products(game: Game, w: Array, batch: Batch = None) -> ProductCheck:
    """Hold a torch game's products at w to differences of its field there.

    A game of networks is evaluated in double precision, whatever its own, where its costs allow; the formulas are the
    same. If products and differences disagree at w they are compared at a random point close by as well, since w may
    lie exactly on a kink, where a difference is not the derivative on either side. Nothing is counted or disturbed.

    The field must run in torch.
    """
    counted = vars(game.counts).copy()
    w = w.detach()
    with game.undisturbed(), torch.enable_grad():
        found = _checked(game, w, batch)
        if found.error > found.tolerance:
            noise = torch.randn(
                w.shape, generator=torch.Generator().manual_seed(SEED), dtype=torch.float64, device="cpu"
            ).to(w)
            nearby = _checked(game, w + 1e-3 * _size(w) * noise, batch)
            found = nearby if nearby.error < found.error else found
    vars(game.counts).update(counted)
    return found


def _checked(game: Game, w: Array, batch: Batch) -> ProductCheck:
    if w.dtype == torch.float64:
        return ProductCheck(_error(game, _Oracle(game, batch), w, STEPS), "double")
    if hasattr(game, "oracle_in_double"):
        try:
            field, products = game.oracle_in_double(batch)
            return ProductCheck(_error(game, _Oracle(game, batch, field, products), w.double(), STEPS), "double")
        except GandynError:
            raise
        except Exception:  # noqa: S110 -- costs that insist on their own precision
            pass
    return ProductCheck(_error(game, _Oracle(game, batch), w, LONG_STEPS), "single")


class _Oracle:
    """Field and products of a game at one batch, or functions that stand for them."""

    def __init__(
        self,
        game: Game,
        batch: Batch,
        field: Callable[[Array], Array] | None = None,
        products: Callable[[Array], tuple[Product, Product]] | None = None,
    ) -> None:
        self._field = field or (lambda w: game.field(w, batch))
        self._products = products or (lambda w: (lambda u: game.jvp(w, u, batch), lambda u: game.vjp(w, u, batch)))

    def field(self, w: Array) -> Array:
        return self._field(w).detach()

    def products(self, w: Array) -> tuple[Product, Product]:
        forward, backward = self._products(w)
        return (lambda u: forward(u).detach()), (lambda u: backward(u).detach())


def _size(w: Array) -> float:
    return max(float(w.double().square().mean().sqrt()), 1e-2)


def _error(game: Game, oracle: _Oracle, w: Array, steps: tuple[float, ...]) -> float:
    """See `ProductCheck.error`."""
    eps, tolerance = torch.finfo(w.dtype).eps, TOLERANCES["double" if w.dtype == torch.float64 else "single"]
    v, frozen = oracle.field(w), game.frozen() if hasattr(game, "frozen") else None
    if not torch.allclose(oracle.field(w), v, rtol=1e3 * eps, atol=1e3 * eps * float(v.abs().max()), equal_nan=True):
        return float("nan")
    forward, backward = oracle.products(w)
    rng = torch.Generator().manual_seed(SEED)
    t = torch.randn(w.shape, generator=rng, dtype=torch.float64, device="cpu").to(w)
    pulled, scale, worst = backward(t), _size(w), 0.0
    for block in game.slices:
        u = torch.zeros_like(w)
        u[block] = torch.randn(u[block].shape, generator=rng, dtype=torch.float64, device="cpu").to(w)
        u = u if frozen is None else u.masked_fill(frozen, 0)  # what does not train is a constant of the field
        product, adjoint = forward(u), float(pulled @ u)
        best: dict[Any, float] = {}
        rounding = eps * (float(v.norm()) + scale * float(product.norm())) / tolerance
        for h in (scale * step for step in steps):
            difference = _difference(oracle.field, w, u, h)
            noise = rounding / h
            for i, rows in enumerate(game.slices):
                size = max(float(difference[rows].norm()), float(product[rows].norm()), noise, 1e-300)
                _lower(best, i, float((difference - product)[rows].norm()) / size)
            size = max(float(pulled[block].norm()), noise * float(t.norm()), 1e-300)
            _lower(best, "adjoint", abs(float(t @ difference) - adjoint) / size)
            if max(best.values()) <= tolerance / 10:
                break
        worst = max(worst, *best.values())
    return worst


def _lower(best: dict[object, float], key: object, value: float) -> None:
    best[key] = min(best.get(key, float("inf")), value if value == value else float("inf"))


def _difference(function: Callable[[torch.Tensor], torch.Tensor], w: Array, u: Array, h: float) -> Array:
    """The derivative along u by central differences at h and 2 h, with an error of order h^4."""
    near, far = (function(w + s * h * u) - function(w - s * h * u) for s in (1, 2))
    return (8 * near - far) / (12 * h)


def derivative_error(
    function: Callable[[Any], Any], product: Array, w: Array, u: Array, magnitude: float = 0.0
) -> float:
    """|product - difference of `function` along u| / |product|, for the best of several steps; see `ProductCheck`.

    `product`: what is claimed for the derivative at w along u; `magnitude`: of what `function` subtracts within, for
    its rounding errors.
    """
    single = w.dtype != torch.float64
    eps, tolerance = torch.finfo(w.dtype).eps, TOLERANCES["single" if single else "double"]
    size_of_terms = float(function(w).norm()) + _size(w) * float(product.norm()) + magnitude
    rounding, best = eps * size_of_terms / tolerance, float("inf")
    for h in (_size(w) * step for step in (LONG_STEPS if single else STEPS)):
        difference = _difference(function, w, u, h)
        size = max(float(difference.norm()), float(product.norm()), rounding / h, 1e-300)
        error = float((difference - product).norm()) / size
        best = min(best, error if error == error else float("inf"))
        if best <= tolerance / 10:
            break
    return best


def missing_derivative(error: Exception) -> str | None:
    """The operation of which torch says that it has no further derivative, if that is what it says."""
    return next((found[1] for pattern in MISSING for found in [re.search(pattern, str(error))] if found), None)


def refusal(error: Exception, name: str) -> NotDifferentiableError:
    """Torch's message as an error of ours."""
    return NotDifferentiableError(
        f"{missing_derivative(error)} in {name}, of which torch has no further derivative",
        "layers that can be differentiated as often as the penalty and the rule ask",
        "another layer in its place; a rule without products with J, or no penalty on input gradients",
    )


def refuse_unconfirmed(check: ProductCheck, name: str) -> None:
    """Raises NotDifferentiableError for wrong products; warns where the field is not a function of w."""
    if check.error != check.error:
        warnings.warn(
            f"the field of {name} differs from call to call at one point and batch, so that products with its Jacobian"
            " belong to another field than the one beside them, and were not checked. Usual fix: random numbers from"
            " torch's streams, the step's data from the iterator `data`, no counters in forward passes",
            UncheckedProductsWarning,
            stacklevel=2,
        )
        return
    if check.error <= max(check.tolerance, 0.3 * (check.precision == "single")):
        return
    raise NotDifferentiableError(
        f"products with the Jacobian of {name} that are not derivatives of its field (relative difference"
        f" {check.error:.1e} against central differences in {check.precision} precision)",
        "costs that torch can differentiate through: no `.detach()` or `no_grad` between one network and the other's"
        " cost, no buffers that follow the weights within an evaluation, no gradients of a layer's own making",
        "pass the generator's output on without `.detach()` (only the player's own gradient is taken), or use a rule"
        " without products with J",
    )
