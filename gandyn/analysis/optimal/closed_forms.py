"""Optimal parameters of rules in closed form, each with the argument for it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

from ...classes import Bilinear, GameClass, Spectrum, StronglyMonotone
from ...types import Rule


@dataclasses.dataclass(frozen=True)
class Known:
    """The best values of a rule's parameters over a class, and the worst-case factor with them."""

    values: dict[str, float]  # by name of the rule's field; 0 or infinity where the best is only approached
    rate: float  # the smallest worst-case factor, or its infimum
    source: str  # the argument
    approach: str = ""  # how the infimum is approached; empty where the values attain it
    # whether no other values do better; False where the rate is a proven bound that may not be the smallest
    exact: bool = True


def known(rule: Rule, over: GameClass, fields: frozenset[str]) -> Known | None:
    """The closed form over a class for a rule whose fields named in `fields` are free; None where none is known.

    All other fields of the rule must have their default values.
    """
    for names, wanted, form in FORMS:
        if rule.name in names.split() and fields == frozenset(wanted.split()) and _plain(rule, fields):
            found = form(over)
            if found is not None:
                return found
    return None


def _plain(rule: Rule, free: frozenset[str]) -> bool:
    """Whether all fields that are not free have their defaults."""
    return all(
        getattr(rule, f.name) == f.default
        for f in dataclasses.fields(rule)  # type: ignore[arg-type]
        if f.name not in free and f.default is not dataclasses.MISSING
    )


def ellipse_of(over: GameClass) -> tuple[float, float, float] | None:
    """Centre c and half axes p, q of a class that is an ellipse right of the imaginary axis; None for other classes.

    Discs, real segments and segments parallel to the imaginary axis are ellipses too.
    """
    if not isinstance(over, Spectrum) or over.kind not in ("segment", "disc", "ellipse"):
        return None
    points = [complex(float(x), float(y)) for x, y in over.exact]
    if over.kind == "segment":
        a, b = points
        if a.imag == b.imag == 0:
            centre, p, q = (a + b) / 2, abs(a - b).real / 2, 0.0
        elif a == b.conjugate():
            centre, p, q = complex(a.real), 0.0, abs(a.imag)
        else:
            return None
    else:
        centre, p, q = points[0], points[1].real, points[-1].real
    return (centre.real, p, q) if centre.imag == 0 and centre.real > p else None


def _gradient(over: GameClass) -> Known | None:
    if isinstance(over, StronglyMonotone):
        mu, lipschitz = float(over.mu), float(over.lipschitz)
        if not mu:
            return Known(
                {"lr": 0.0}, 1.0, "|w+ - w*|^2 <= (1 + lr^2 L^2) |w - w*|^2, attained by a rotation", "lr -> 0"
            )
        rate = math.sqrt((1 - mu / lipschitz) * (1 + mu / lipschitz))
        return Known({"lr": mu / lipschitz**2}, rate, "minimum of 1 - 2 lr mu + lr^2 L^2, attained by linear fields")
    if isinstance(over, Bilinear):
        return Known({"lr": 0.0}, 1.0, "sqrt(1 + lr^2 sigma^2) is above 1 for every step", "lr -> 0")
    shape = ellipse_of(over)
    if shape is None or (shape[1] and shape[2] and shape[1] != shape[2]):
        return None
    c, p, q = shape
    if not p:
        return Known({"lr": c / (c**2 + q**2)}, q / math.hypot(c, q), "minimum of (1 - lr c)^2 + lr^2 q^2")
    return Known({"lr": 1 / c}, p / c, "|1 - lr c| + lr p at the point of the set farthest from the centre")


def _polyak(over: GameClass) -> Known | None:
    if isinstance(over, Bilinear):
        source = (
            "for z = i sigma the roots have the product beta and the sum 1 + beta - i lr sigma: one has modulus >= 1"
        )
        return Known({"lr": 0.0, "momentum": 0.0}, 1.0, source, "lr -> 0")
    shape = ellipse_of(over)
    if shape is None:
        return None
    c, p, q = shape
    side = c + math.sqrt(c**2 - p**2 + q**2)
    m = (p - q) * (p + q) / side**2
    source = (
        "Polyak 1964; Niethammer & Varga 1983: the limit of Faber polynomials on the ellipse, which no method passes"
    )
    return Known({"lr": (1 + m) / c, "momentum": m}, (p + q) / side, source)


def _extragradient(over: GameClass) -> Known | None:
    if isinstance(over, StronglyMonotone):
        mu, lipschitz = float(over.mu), float(over.lipschitz)
        step = 1 / (lipschitz + math.sqrt(mu * lipschitz))
        rate = 1 - mu / (math.sqrt(lipschitz) + math.sqrt(mu)) ** 2
        source = "minimum of the bound 1 - a b / (a + b), a = lr mu, b = 1 - lr L, from inequalities between pairs"
        return Known({"lr": step}, rate, source, exact=False)
    if isinstance(over, Bilinear):
        low, high = float(over.smallest) ** 2, float(over.largest) ** 2
        source = "1 - x + x^2, x = lr^2 sigma^2, is convex: equal at both ends where their x add up to 1"
        return Known({"lr": 1 / math.sqrt(low + high)}, math.sqrt(1 - low * high / (low + high) ** 2), source)
    ends = _positive_segment(over)
    if ends is None:
        return None
    source = "1 - x + x^2, x = lr z, is convex: equal at both ends where their x add up to 1"
    return Known({"lr": 1 / sum(ends)}, 1 - ends[0] * ends[1] / sum(ends) ** 2, source)


def _positive_segment(over: GameClass) -> tuple[float, float] | None:
    shape = ellipse_of(over)
    return (shape[0] - shape[1], shape[0] + shape[1]) if shape is not None and not shape[2] else None


def _two_steps(second: str) -> Callable[[GameClass], Known | None]:
    """(1 - lr e sigma^2)^2 + lr^2 sigma^2 for the second parameter e: the last term vanishes as lr does, lr e fixed."""

    def form(over: GameClass) -> Known | None:
        if not isinstance(over, Bilinear):
            return None
        low, high = float(over.smallest) ** 2, float(over.largest) ** 2
        source = (
            f"(1 - lr {second} sigma^2)^2 + lr^2 sigma^2 is above its first term, which alone is a Chebyshev problem"
        )
        approach = f"lr -> 0 with lr {second} = {2 / (low + high):.9g}"
        return Known({"lr": 0.0, second: math.inf}, (high - low) / (high + low), source, approach)

    return form


def _proximal(over: GameClass) -> Known | None:
    positive = isinstance(over, Bilinear) and float(over.smallest) > 0
    positive |= isinstance(over, StronglyMonotone) and float(over.mu) > 0
    positive |= ellipse_of(over) is not None
    if not positive:
        return None
    return Known({"lr": math.inf}, 0.0, "|1 / (1 + lr z)| and 1 / (1 + lr mu) fall to 0", "lr -> infinity")


def _competitive(over: GameClass) -> Known | None:
    if not (isinstance(over, Bilinear) and float(over.smallest) > 0):
        return None
    return Known({"lr": math.inf}, 0.0, "1 / sqrt(1 + lr^2 sigma^2) falls to 0", "lr -> infinity")


FORMS: tuple[tuple[str, str, Callable[[GameClass], Known | None]], ...] = (
    ("SimultaneousGD", "lr", _gradient),
    ("HeavyBall", "lr momentum", _polyak),
    ("Extragradient", "lr", _extragradient),
    ("Extragradient", "lr extrapolation", _two_steps("extrapolation")),
    ("Consensus", "lr gamma", _two_steps("gamma")),
    ("ProximalPoint", "lr", _proximal),
    ("CompetitiveGD", "lr", _competitive),
)
