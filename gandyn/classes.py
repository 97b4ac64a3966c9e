"""Classes of games, over which rates and designs hold: strongly monotone, bilinear, or linear of a given spectrum."""

from __future__ import annotations

import abc
import cmath
import dataclasses
import math
import numbers
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from .errors import ParameterError
from .lazy import sympy
from .parameters import finite, is_number
from .worlds import exact, is_symbolic

Pair = tuple[Fraction, Fraction]
SETS = "points segment disc ellipse cross polygon"
MANY = 8  # points that are printed one by one


@dataclasses.dataclass(frozen=True)
class Curve:
    """Points (x(u) + i y(u)) / n(u) for 0 <= u <= 1: polynomials with rational coefficients, lowest power first."""

    x: tuple[Fraction, ...]
    y: tuple[Fraction, ...]
    n: tuple[Fraction, ...] = (Fraction(1),)

    @property
    def degree(self) -> int:
        """The largest degree of x, y and n."""
        return max(len(self.x), len(self.y), len(self.n)) - 1

    @property
    def real(self) -> bool:
        """Whether it lies on the real axis."""
        return not any(self.y)

    def __call__(self, u: object) -> tuple[Any, Any, Any]:
        """x(u), y(u) and n(u), in the arithmetic of u."""
        return _value(self.x, u), _value(self.y, u), _value(self.n, u)

    def point(self, u: Fraction) -> Pair:
        """The point at u, exactly, as real and imaginary part."""
        x, y, n = self(u)
        return x / n, y / n


def _value(coefficients: Sequence[Fraction], u: Any) -> Any:
    exactly = isinstance(u, (int, Fraction))
    total: Any = 0 if exactly else 0.0 * u
    for c in reversed(coefficients):
        total = total * u + (c if exactly else float(c))
    return total


class GameClass(abc.ABC):
    """A set of games. Subclasses are frozen dataclasses of numbers that print as they are called."""

    @abc.abstractmethod
    def curves(self) -> tuple[Curve, ...]:
        """The eigenvalues of its linear games, or the border of their set, in the upper half-plane."""


@dataclasses.dataclass(frozen=True)
class StronglyMonotone(GameClass):
    """All fields with <v(a) - v(b), a - b> >= mu |a - b|^2 and |v(a) - v(b)| <= L |a - b|, in any dimension.

    Args:
        mu: modulus of strong monotonicity, 0 <= mu <= lipschitz.
        lipschitz: L > 0.

    Raises:
        ParameterError: for numbers outside these ranges.
    """

    mu: Any
    lipschitz: Any

    def __post_init__(self) -> None:
        low, high = _real(self, "mu", self.mu), _real(self, "lipschitz", self.lipschitz)
        if not (0 <= low <= high and high > 0):
            _refuse(self, "0 <= mu <= lipschitz, lipschitz > 0", "StronglyMonotone(0.1, 1)")

    def curves(self) -> tuple[Curve, ...]:
        """The border of the set of linear members, upper half: Re z >= mu, |z| <= L; corners rounded inwards."""
        low, high = _real(self, "mu", self.mu), _real(self, "lipschitz", self.lipschitz)
        half = Fraction(math.floor(math.sqrt((high - low) / (high + low)) * 2**48), 2**48)  # tan of half the angle
        corner = (high * (1 - half**2) / (1 + half**2), 2 * high * half / (1 + half**2))
        arc = Curve(
            (high, Fraction(0), -high * half**2), (Fraction(0), 2 * high * half), (Fraction(1), Fraction(0), half**2)
        )
        return arc, line((low, Fraction(0)), corner)

    def __str__(self) -> str:
        return f"all {_text(self.mu)}-strongly monotone, {_text(self.lipschitz)}-Lipschitz fields"


@dataclasses.dataclass(frozen=True)
class Bilinear(GameClass):
    """The games f(x, y) = x^T M y, M square with all singular values in [smallest, largest].

    Args:
        smallest: 0 <= smallest <= largest.
        largest: above 0.

    Raises:
        ParameterError: for numbers outside these ranges.
    """

    smallest: Any
    largest: Any

    def __post_init__(self) -> None:
        low, high = _real(self, "smallest", self.smallest), _real(self, "largest", self.largest)
        if not (0 <= low <= high and high > 0):
            _refuse(self, "0 <= smallest <= largest, largest > 0", "Bilinear(0.5, 2)")

    def curves(self) -> tuple[Curve, ...]:
        """The segment of eigenvalues i sigma of the Jacobian; those -i sigma are their conjugates."""
        ends = (_real(self, "smallest", self.smallest), _real(self, "largest", self.largest))
        return (line((Fraction(0), ends[0]), (Fraction(0), ends[1])),)

    def __str__(self) -> str:
        return f"bilinear games with singular values in [{_text(self.smallest)}, {_text(self.largest)}]"


@dataclasses.dataclass(frozen=True)
class Spectrum(GameClass):
    """The linear fields v(w) = J w with a normal Jacobian J whose eigenvalues lie in a set, closed under conjugation.

    Exactly one set is given. Numbers may be complex; the conjugates of all points belong to the set too. The spectral
    radius over normal Jacobians decides nothing about the transient of others, nor about fields that are not linear.

    Args:
        points: a sequence of eigenvalues.
        segment: (a, b), its ends.
        disc: (centre, radius), filled.
        ellipse: (c, p, q): centre c, half-axes p along the real and q along the imaginary axis, filled.
        cross: (c, p, q): the two segments c - p to c + p and c - iq to c + iq.
        polygon: three corners or more in order, filled.

    Raises:
        ParameterError: unless exactly one set is given, of finite numbers, with lengths that are not negative.

    Example:
        >>> import gandyn as gd
        >>> print(gd.classes.Spectrum(disc=(1, 0.5)))
        linear fields with normal Jacobian and spectrum in disc (1, 0.5)
    """

    points: Any = None
    segment: Any = None
    disc: Any = None
    ellipse: Any = None
    cross: Any = None
    polygon: Any = None

    def __post_init__(self) -> None:
        given = [name for name in SETS.split() if getattr(self, name) is not None]
        if len(given) != 1:
            said = f"Spectrum with {' and '.join(given) or 'no set'}"
            raise ParameterError(said, f"exactly one of {SETS.replace(' ', ', ')}", "Spectrum(segment=(0.5, 2))")
        (kind,) = given
        entries = _entries(kind, getattr(self, kind))
        object.__setattr__(self, kind, entries)
        points = [_complex(self, kind, entry) for entry in entries]
        lengths = points[1:] if kind in ("disc", "ellipse", "cross") else []
        if any(y or x < 0 for x, y in lengths) or (kind in ("ellipse", "cross") and not any(x for x, _ in lengths)):
            _refuse(
                self, f"a centre and {'a radius' if kind == 'disc' else 'half-axes'} >= 0", f"{kind}={EXAMPLES[kind]}"
            )

    @property
    def kind(self) -> str:
        """Which set it is: the name of the argument."""
        return next(name for name in SETS.split() if getattr(self, name) is not None)

    @property
    def filled(self) -> bool:
        """Whether the set has an inside."""
        return self.kind in ("disc", "ellipse", "polygon")

    @property
    def exact(self) -> tuple[Pair, ...]:
        """The numbers that were given, as pairs of fractions."""
        return tuple(_complex(self, self.kind, entry) for entry in getattr(self, self.kind))

    def curves(self) -> tuple[Curve, ...]:
        """The points or curves of the set, of a filled one its border; conjugates are left out."""
        given = self.exact
        if self.kind == "points":
            return tuple(Curve((x,), (abs(y),)) for x, y in dict.fromkeys((x, abs(y)) for x, y in given))
        if self.kind == "segment":
            return (line(*given),)
        if self.kind == "polygon":
            return tuple(line(a, b) for a, b in zip(given, [*given[1:], given[0]], strict=True))
        centre, p, q = given[0], given[1][0], given[-1][0]
        if self.kind == "cross":
            (x, y), zero = centre, Fraction(0)
            arms = [line((x - p, y), (x + p, y)), line((x, y if y == zero else y - q), (x, y + q))]
            return tuple(arms)
        return tuple(_quarters(centre, p, q))

    @property
    def middle(self) -> Pair:
        """The centre of a filled set; of a polygon the mean of its corners."""
        corners = self.exact if self.kind == "polygon" else self.exact[:1]
        x, y = (sum((c[k] for c in corners), Fraction(0)) / len(corners) for k in (0, 1))
        return x, y

    def inner_curves(self, layers: int = 12) -> tuple[Curve, ...]:
        """The border of a filled set, drawn together towards its middle in so many layers."""
        shares = [Fraction(k, layers) for k in range(layers)]
        return tuple(_drawn_together(curve, self.middle, share) for share in shares for curve in self.curves())

    def holds(self, z: complex) -> bool:
        """Whether a filled set contains z or its conjugate, in floating point."""
        given = [complex(float(x), float(y)) for x, y in self.exact]
        return any(self._inside(w, given) for w in (z, z.conjugate()))

    def _inside(self, z: complex, given: list[complex]) -> bool:
        if self.kind == "polygon":
            if z in given:
                return True
            turns = sum(cmath.phase((b - z) / (a - z)) for a, b in zip(given, [*given[1:], given[0]], strict=True))
            return abs(turns) > 1
        p, q = given[1].real, given[-1].real
        off = z - given[0]
        return (off.real * q) ** 2 + (off.imag * p) ** 2 <= (p * q) ** 2

    def __str__(self) -> str:
        given = getattr(self, self.kind)
        shown = f"{self.kind} ({', '.join(map(_text, given))})"
        if len(given) > MANY:
            x, y = [complex(z).real for z in given], [abs(complex(z).imag) for z in given]
            ends = f"real parts from {min(x):.6g} to {max(x):.6g} and imaginary parts up to {max(y):.6g}"
            shown = (
                f"{len(given)} points with {ends}"
                if self.kind == "points"
                else f"a polygon of {len(given)} corners, {ends}"
            )
        return f"linear fields with normal Jacobian and spectrum in {shown}"

    def __repr__(self) -> str:
        return f"Spectrum({self.kind}={getattr(self, self.kind)!r})"


EXAMPLES = {
    "points": (1, 0.5 + 1j),
    "segment": (0.5, 2),
    "disc": (1, 0.5),
    "ellipse": (1.3, 0.9, 0.4),
    "cross": (1.3, 0.6, 2.3),
    "polygon": (1, 2, 1.5 + 1j),
}


def line(a: Pair, b: Pair) -> Curve:
    """The segment from a to b."""
    return Curve((a[0], b[0] - a[0]), (a[1], b[1] - a[1]))


def _drawn_together(curve: Curve, middle: Pair, share: Fraction) -> Curve:
    size = curve.degree + 1
    padded = [[*c, *[Fraction(0)] * (size - len(c))] for c in (curve.x, curve.y, curve.n)]
    moved = [
        tuple(share * a + (1 - share) * c * n for a, n in zip(part, padded[2], strict=True))
        for part, c in zip(padded, middle, strict=False)
    ]
    return Curve(moved[0], moved[1], curve.n)


def _quarters(centre: Pair, p: Fraction, q: Fraction) -> Iterator[Curve]:
    """Quarters of an ellipse, by cos = (1 - u^2) / (1 + u^2), sin = 2 u / (1 + u^2); the upper two of a real centre."""
    zero, one = Fraction(0), Fraction(1)
    for up in (1, -1) if centre[1] else (1,):
        for right in (1, -1):
            x = (centre[0] + right * p, zero, centre[0] - right * p)
            yield Curve(x, (centre[1], 2 * up * q, centre[1]), (one, zero, one))


def _entries(kind: str, value: object) -> tuple[Any, ...]:
    if hasattr(value, "tolist"):
        value = value.tolist()
    wanted = {"segment": 2, "disc": 2, "ellipse": 3, "cross": 3}.get(kind)
    least = 3 if kind == "polygon" else 1
    if isinstance(value, numbers.Number) and kind == "points":
        value = (value,)
    if not isinstance(value, (list, tuple)) or len(value) < least or (wanted and len(value) != wanted):
        needed = f"{wanted} numbers" if wanted else f"a sequence of at least {least} numbers"
        raise ParameterError(f"Spectrum({kind}={value!r})"[:80], needed, f"{kind}={EXAMPLES[kind]}")
    return tuple(value)


def _complex(item: object, name: str, value: object) -> Pair:
    """Real and imaginary part, floats read as on paper; irrational numbers as the floats next to them."""
    number = None
    if not isinstance(value, bool) and (is_number(value) or isinstance(value, Fraction) or is_symbolic(value)):
        number = value if isinstance(value, Fraction) else exact(value)
    if number is None or getattr(number, "free_symbols", False) or not finite(complex(number)):
        raise ParameterError(f"{name}={value!r} of {type(item).__name__}"[:80], "finite numbers", f"{name}=0.5")
    if isinstance(number, Fraction):
        return number, Fraction(0)
    return tuple(_fraction(part) for part in number.as_real_imag())  # type: ignore[return-value]


def _real(item: object, name: str, value: object) -> Fraction:
    x, y = _complex(item, name, value)
    if y:
        raise ParameterError(f"{name}={value!r} of {type(item).__name__}", "a real number", f"{name}=0.5")
    return x


def _fraction(number: sympy.Expr) -> Fraction:
    return Fraction(int(number.p), int(number.q)) if number.is_Rational else Fraction(repr(float(number)))


def _refuse(item: GameClass, needed: str, fix: str) -> None:
    raise ParameterError(repr(item), needed, fix)


def _text(value: object) -> str:
    if isinstance(value, complex):
        return f"{value:g}" if value.imag else f"{value.real:g}"
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
