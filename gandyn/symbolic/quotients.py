"""The field Q(t) on FLINT's integer polynomials, as a domain of SymPy's matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sympy import QQ
from sympy.polys.domains.field import Field
from sympy.polys.domains.simpledomain import SimpleDomain

if TYPE_CHECKING:
    from flint import fmpz_poly


class Quotient:
    """p(t) / q(t) in lowest terms with integer coefficients, the leading one of q positive.

    Attributes:
        numer, denom: p and q.
    """

    __slots__ = ("denom", "numer")

    def __init__(self, numer: fmpz_poly, denom: fmpz_poly) -> None:
        if not denom.is_one():
            common = numer.gcd(denom)
            if denom.leading_coefficient() < 0:
                common = -common
            if not common.is_one():
                numer, denom = numer // common, denom // common
        self.numer, self.denom = numer, denom

    def __add__(self, other: Quotient) -> Quotient:
        if self.denom == other.denom:
            return Quotient(self.numer + other.numer, self.denom)
        return Quotient(self.numer * other.denom + other.numer * self.denom, self.denom * other.denom)

    def __neg__(self) -> Quotient:
        return Quotient(-self.numer, self.denom)

    def __sub__(self, other: Quotient) -> Quotient:
        return self + -other

    def __mul__(self, other: Quotient) -> Quotient:
        return Quotient(self.numer * other.numer, self.denom * other.denom)

    def __truediv__(self, other: Quotient) -> Quotient:
        if not other:
            raise ZeroDivisionError("a quotient by zero")
        return Quotient(self.numer * other.denom, self.denom * other.numer)

    def __pow__(self, n: int) -> Quotient:
        return Quotient(self.numer**n, self.denom**n) if n >= 0 else ONE / self**-n

    def __bool__(self) -> bool:
        return not self.numer.is_zero()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quotient) and self.numer == other.numer and self.denom == other.denom

    def _key(self) -> tuple[list[int], list[int]]:
        return list(map(int, self.numer.coeffs())), list(map(int, self.denom.coeffs()))

    def __hash__(self) -> int:
        return hash(tuple(map(tuple, self._key())))

    def __lt__(self, other: Quotient) -> bool:
        """An order without meaning, in which SymPy lists factors."""
        return self._key() < other._key()


class Quotients(Field, SimpleDomain):  # type: ignore[misc]  # SymPy has no types
    """The domain of these, Q(t): `Quotients()(a)` is a rational number `a` of SymPy's domain QQ as one of them.

    Example:
        >>> field = Quotients()
        >>> (field(QQ(1, 2)) * field.t ** -2 * field.t).numer, (field.one / field.t).denom
        (1, x)
    """

    rep, dtype = "Q(t)", Quotient
    is_Exact, is_Numerical, has_assoc_Ring, has_assoc_Field = True, False, False, True

    def __init__(self) -> None:
        from flint import fmpz_poly

        self._poly = fmpz_poly
        self.zero, self.one, self.t = (Quotient(fmpz_poly(c), fmpz_poly([1])) for c in ([], [1], [0, 1]))

    def new(self, value: object) -> Quotient:
        """A rational number as a quotient."""
        return Quotient(self._poly([int(QQ.numer(value))]), self._poly([int(QQ.denom(value))]))

    def polynomial(self, numer: fmpz_poly) -> Quotient:
        """A polynomial as a quotient."""
        return Quotient(numer, self._poly([1]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quotients)

    def __hash__(self) -> int:
        return hash(Quotients)


FIELD = Quotients()
ONE = FIELD.one
