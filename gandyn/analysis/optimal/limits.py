"""Speed limits: the smallest factor per gradient of any method that combines past fields, over a set of spectra."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np

from ...arguments import whole
from ...classes import Bilinear, GameClass, Spectrum
from ...doors import door
from ...errors import DomainError
from ...results import Result
from ...types import Array
from .closed_forms import ellipse_of
from .given import class_of

PANELS = 400
MOST = 200


@dataclasses.dataclass(frozen=True, repr=False)
class SpeedLimit(Result):
    """The smallest factor per gradient that combinations of the start and past fields can have over a set.

    After n gradients, such a method has the error p(J) (w_0 - w*) on a linear game with Jacobian J, with p a polynomial
    of degree n and p(0) = 1. The limit is over all such p.

    Attributes:
        over: the class of games.
        degree: n; None for the limit of large n.
        value: min over p of max over the set of |p(z)|^(1/n), a factor per gradient.
        kind: "exact": a closed form, by `reason`; "numeric": the solution of an equilibrium problem by panels, to about
            five digits.
        reason: the argument.
        steps: for a real segment and given n, the n step sizes of gradient descent that attain the limit, (n,), in
            Leja's order, in which rounding errors stay small; None otherwise.
    """

    over: GameClass
    degree: int | None
    value: float
    kind: str
    reason: str
    steps: Array | None = None

    _data = "over=_class degree value kind reason steps"

    @property
    def _class(self) -> str:
        return repr(self.over)

    def summary(self) -> str:
        """The class, the number of gradients, the factor and the argument."""
        many = "any number of gradients" if self.degree is None else f"{self.degree} gradients"
        head = f"no combination of {many} on {self.over} has a smaller factor per gradient than {self.value:.9g}"
        return f"{head} ({self.kind})\n{self.reason}"


@door
def speed_limit(over: object, degree: int | None = None) -> SpeedLimit:
    """The smallest possible factor per gradient of any first-order rule over a set of spectra.

    Rules that use fields alone, with any memory, multiply the error by a polynomial p(J) with p(0) = 1. Over a set K
    that does not surround 0, the smallest factor tends to exp(-g(0)) for many gradients, where g is Green's function of
    the outside of K (Bernstein & Walsh). That is (p + q)/(c + sqrt(c^2 - p^2 + q^2)) for an ellipse with centre c and
    half axes p and q, sqrt((kappa - 1)/(kappa + 1)) for bilinear games with kappa = (largest / smallest)^2, and 1 where
    the set holds or surrounds 0. Rules that use J^T can be faster.

    Args:
        over: a class of linear games.
        degree: the number of gradients, for a real segment or `Bilinear`; None for the limit of many.

    Returns:
        A `SpeedLimit`: the factor per gradient is its `.value`.

    Raises:
        DomainError: for other classes. ParameterError: for a degree below 1.

    Example:
        >>> import gandyn as gd
        >>> round(gd.speed_limit(gd.classes.Bilinear(0.5, 2)).value, 9)
        0.774596669
    """
    over = class_of(over)
    if not isinstance(over, (Bilinear, Spectrum)):
        raise DomainError(f"the speed limit over {over}", "linear games with a given spectrum", "gd.classes.Spectrum")
    if degree is not None:
        return _finite(over, degree)
    if isinstance(over, Bilinear):
        low, high = float(over.smallest), float(over.largest)
        reason = "two segments of the imaginary axis: z^2 maps them onto one"
        return SpeedLimit(over, None, math.sqrt((high - low) / (high + low)), "exact", reason)
    if over.kind == "points":
        hit = any(not x and not y for x, y in over.exact)
        return SpeedLimit(over, None, float(hit), "exact", "a polynomial that vanishes at all points ends the error")
    shape = ellipse_of(over)
    if shape is not None:
        c, p, q = shape
        value = (p + q) / (c + math.sqrt(c**2 - p**2 + q**2))
        return SpeedLimit(
            over, None, value, "exact", "Joukowski's map of the outside of the ellipse (Faber polynomials)"
        )
    if over.kind == "cross" and not over.exact[0][1]:
        c, p, q = (float(x) for x, _ in over.exact)
        reason = "(z - c)^2 maps the cross onto the segment [-q^2, p^2]"
        return SpeedLimit(over, None, math.sqrt(_outside(c**2, -(q**2), p**2)), "exact", reason)
    return SpeedLimit(over, None, _green(over), "numeric", "the equilibrium charge on the border, by panels")


def _outside(z: float, low: float, high: float) -> float:
    """exp(-g(z)) at a real z for the segment [low, high], with Green's function g of its outside; 1 on the segment."""
    w = abs(2 * z - low - high) / (high - low)
    return 1 / (w + math.sqrt(w * w - 1)) if w > 1 else 1.0


def _finite(over: Bilinear | Spectrum, degree: int) -> SpeedLimit:
    whole("degree", degree, 1, MOST)
    if isinstance(over, Bilinear):
        low, high = float(over.smallest) ** 2, float(over.largest) ** 2
        half = degree // 2
        reason = "even polynomials are best: 1/T_(n/2) in sigma^2; an odd degree gains nothing"
        value = _chebyshev(low, high, half) ** (1 / degree) if half else 1.0
        return SpeedLimit(over, degree, value, "exact", reason)
    shape = ellipse_of(over)
    if shape is None or shape[2] or over.kind != "segment":
        raise DomainError(f"{degree} gradients on {over}", "a segment of the positive axis, or Bilinear", "degree=None")
    c, p, _ = shape
    roots = c + p * np.cos(math.pi * (2 * np.arange(degree) + 1) / (2 * degree))
    value = _chebyshev(c - p, c + p, degree) ** (1 / degree)
    return SpeedLimit(over, degree, value, "exact", "1/T_n((L + m)/(L - m)), Chebyshev", 1 / leja(roots))


def _chebyshev(low: float, high: float, n: int) -> float:
    """1/T_n((high + low)/(high - low))."""
    return 1 / math.cosh(n * math.acosh((high + low) / (high - low))) if high > low else 0.0


def leja(points: Array) -> Array:
    """The points (n,) in Leja's order: each has the largest product of distances from those before.

    With step sizes 1/root in this order, the partial products of a Chebyshev schedule stay small. In sorted order they
    reach 1e27 for 64 steps at a condition number of 100, and rounding errors with them.
    """
    left = list(np.asarray(points))
    chosen = [left.pop(int(np.argmax(np.abs(left))))]
    logs = np.zeros(len(left))
    while left:
        with np.errstate(divide="ignore"):
            logs = logs + np.log(np.abs(np.array(left) - chosen[-1]))
        k = int(np.argmax(logs))
        chosen.append(left.pop(k))
        logs = np.delete(logs, k)
    return np.array(chosen)


def _green(over: Spectrum) -> float:
    """exp(-g(0)) by the charges on panels of the border whose potential is constant there, in units of the set."""
    if over.filled and over.holds(0j):
        return 1.0
    count = max(PANELS // len(over.curves()), 40)
    u = (1 - np.cos(np.linspace(0, math.pi, count + 1))) / 2
    ends = []
    for curve in over.curves():
        x, y, n = curve(u)
        z = (x + 1j * y) / n
        ends += [(a, b) for a, b in itertools.pairwise(z)]
        ends += [(a.conjugate(), b.conjugate()) for a, b in itertools.pairwise(z)]
    a, b = (np.array(side) for side in zip(*ends, strict=True))
    unit = float(np.abs([a, b]).max())  # g(0) does not depend on it, and rounding does
    _, kept = np.unique(np.round((a + b) / (2 * unit), 12), return_index=True)  # each panel once
    a, b = a[kept] / unit, b[kept] / unit
    middle = (a + b) / 2
    size = len(a)
    system = np.ones((size + 1, size + 1))
    system[:size, :size] = _potential(middle[:, None], a, b)
    system[size, size] = 0.0
    charge = np.linalg.lstsq(system, np.append(np.zeros(size), 1.0), rcond=None)[0]
    green = float(_potential(np.zeros((1, 1)), a, b)[0] @ charge[:size] + charge[size])
    return min(math.exp(-green), 1.0)


def _potential(z: Array, a: Array, b: Array) -> Array:
    """The mean of log |z - t| over each segment from a to b."""

    def primitive(w: Array) -> Array:
        return w * np.log(np.where(w == 0, 1, w)) - w

    direction = (b - a) / np.abs(b - a)
    left, right = (z - a) / direction, (z - b) / direction
    return np.asarray(((primitive(left) - primitive(right)) / (left - right)).real)
