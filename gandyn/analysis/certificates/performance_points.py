"""Points with unknown inner products: a rule runs on them for all monotone Lipschitz fields at once, in fractions."""

from __future__ import annotations

import dataclasses
import numbers
from fractions import Fraction
from typing import Any

from ...errors import DomainError
from ...types import Array, Batch, Game, Parameter, Player, Rule
from ...worlds import POINTS

Row = tuple[Fraction, ...]


def fraction(value: Any) -> Fraction:
    """A number as an exact fraction: a rational number as it is, a float as the decimal that it prints, so 0.1 is 1/10.

    Irrational numbers of SymPy are rounded to a float first.

    Raises:
        DomainError: for complex and infinite numbers.
    """
    if isinstance(value, numbers.Rational):
        return Fraction(int(value.numerator), int(value.denominator))
    try:
        return Fraction(repr(float(value)))
    except (TypeError, ValueError, OverflowError):
        raise DomainError(f"the coefficient {value} in worst_case", "finite real numbers", "real parameters") from None


class Point:
    """A combination of the start and of field values: {index in the basis: coefficient}, exact."""

    __slots__ = ("terms",)
    __array_ufunc__ = None  # NumPy's numbers leave products to us

    def __init__(self, terms: dict[int, Fraction]) -> None:
        self.terms = {k: c for k, c in terms.items() if c}

    def __add__(self, other: object) -> Point:
        if isinstance(other, (int, float)) and other == 0:
            return self
        if not isinstance(other, Point):
            return NotImplemented
        keys = self.terms.keys() | other.terms.keys()
        return Point({k: self.terms.get(k, Fraction(0)) + other.terms.get(k, Fraction(0)) for k in keys})

    __radd__ = __add__

    def __mul__(self, factor: object) -> Point:
        if isinstance(factor, Point):
            raise DomainError("a product of two points in worst_case", "steps linear in points and fields", "GDA")
        c = fraction(factor)
        return Point({k: c * value for k, value in self.terms.items()})

    __rmul__ = __mul__

    def __truediv__(self, divisor: object) -> Point:
        return self * (1 / fraction(divisor))

    def __neg__(self) -> Point:
        return self * -1

    def __sub__(self, other: Point) -> Point:
        return self.__add__(-other)

    def __rsub__(self, other: object) -> Point:
        return (-self).__add__(other)

    @property
    def key(self) -> frozenset[tuple[int, Fraction]]:
        """A hashable form of the point: two points are equal exactly when their keys are."""
        return frozenset(self.terms.items())

    def row(self, size: int) -> Row:
        """The coefficients of the point in the first `size` elements of the basis."""
        return tuple(self.terms.get(k, Fraction(0)) for k in range(size))


class PointsGame(Game):
    """Every monotone Lipschitz field at once, its zero at the origin: each evaluation is a new element of the basis.

    The basis is w_0, v(x_1) / L, v(x_2) / L, ...; `evaluated` holds the x_k in order. Between the two stand as many
    elements as a rule's state has, where it is `unknown` instead of that of `init`.
    """

    name = "all monotone Lipschitz fields"
    players = (Player("w", 1),)
    worlds = frozenset({POINTS})

    def __init__(self, lipschitz: object, unknown: int = 0) -> None:
        self.lipschitz, self.unknown = fraction(lipschitz), unknown
        self.start = Point({0: Fraction(1)})
        self.evaluated: list[Point] = []
        self._known: dict[Any, Point] = {Point({}).key: Point({})}

    def check(self, w: Array) -> None:
        """Accept every point: points of this game have no coordinates that could be checked."""

    def per_player(self, value: object) -> tuple[Parameter, ...]:
        """The value in a tuple of length one, because a class of operators has a single player."""
        if isinstance(value, (tuple, list, dict)):
            raise DomainError(f"worst_case with {value} per player", "one value for all", "use one number")
        return (value,)

    def per_coordinate(self, value: object, w: Array) -> Parameter:
        """The value as it is where it is rational, 1/3 say, which a float would round; otherwise as a float."""
        (number,) = self.per_player(value)
        return fraction(number) if isinstance(number, numbers.Rational) else super().per_coordinate(value, w)

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        if w.key not in self._known:
            self._known[w.key] = self._value_at(w, self.next_index)
        return self._known[w.key]

    @property
    def next_index(self) -> int:
        """Where the next field value stands in the basis: also its length so far."""
        return len(self.evaluated) + 1 + self.unknown

    def _value_at(self, w: Point, index: int) -> Point:
        self.evaluated.append(w)
        return Point({index: self.lipschitz})

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        raise DomainError("costs of a class of fields", "the field alone", "use a game")

    def resolvent(self, lr: Parameter, w: Array) -> Array:
        """The solution x of x = w - lr v(x), which adds v(x) to the basis."""
        key = ("resolvent", fraction(lr), w.key)
        if key not in self._known:
            index = self.next_index
            x = w - fraction(lr) * Point({index: self.lipschitz})
            self._known[key] = x
            self._known[x.key] = self._value_at(x, index)
        return self._known[key]


@dataclasses.dataclass(frozen=True)
class Run:
    """T steps of a rule on points."""

    # rows of x_0 = w* = 0 and of every evaluated point, in the basis (w_0, v_1 / L, v_2 / L, ...): v at points[k] is L
    # times basis element k
    points: tuple[Row, ...]
    last: Row  # the row of w_T
    kappa: Fraction  # mu / L

    @property
    def size(self) -> int:
        """The number of elements of the basis."""
        return len(self.last)


def run(rule: Rule, mu: float | Fraction, lipschitz: float | Fraction, steps: int) -> Run:
    """Run a rule's own `init` and `step` on points, from a start at distance 1 from the zero of the field.

    The fields of the class are mu-strongly monotone and have the given Lipschitz constant.
    """
    game = PointsGame(lipschitz)
    w: Array = game.start
    state = rule.init(game, w)
    for _ in range(steps):
        w, state, _ = rule.step(game, w, state)
    size = game.next_index
    rows = (Point({}).row(size), *(x.row(size) for x in game.evaluated))
    return Run(rows, w.row(size), fraction(mu) / fraction(lipschitz))
