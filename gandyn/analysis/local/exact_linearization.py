"""A linearisation in exact arithmetic: characteristic polynomial, eigenvalues in radicals, spectral radius."""

from __future__ import annotations

import dataclasses
import functools

from ...errors import DomainError
from ...lazy import sympy
from ...types.signs import is_zero, simplified
from ..exact_numbers.algebraic import Algebraic, horner, kernel
from ..exact_numbers.polynomials import characteristic, factors, parts, semisimple
from ..exact_numbers.radicals import closed_roots, largest_modulus
from ..exact_numbers.roots import DIGITS, is_rational, numeric_roots


@dataclasses.dataclass(frozen=True)
class ExactLinearization:
    """The linear part of the dynamics at a point in exact arithmetic, as SymPy numbers and expressions."""

    matrix: sympy.Matrix  # SymPy matrix
    flow: bool
    parameters: tuple[sympy.Symbol, ...]  # its free symbols

    @functools.cached_property
    def charpoly(self) -> sympy.Expr:
        """The characteristic polynomial det(z I - matrix), an expression in z."""
        return characteristic(self.matrix).as_expr()

    @functools.cached_property
    def factors(self) -> list[tuple[sympy.Poly, int]]:
        """Irreducible factors of the characteristic polynomial, with multiplicities."""
        digits = {e: sympy.Rational(str(e)) for e in self.matrix.atoms(sympy.Float)}
        return factors(self.matrix.xreplace(digits) if digits else self.matrix)

    @functools.cached_property
    def parts(self) -> list[tuple[sympy.Poly, int]]:
        """Coprime square-free factors, with multiplicities: the irreducible ones, or over powers of e coarser ones."""
        return parts(self.matrix, lambda: self.factors)

    @functools.cached_property
    def decimal(self) -> bool:
        """Whether the matrix holds decimals, as for a point without an exact form; they are taken as written."""
        return bool(self.matrix.has(sympy.Float))

    @functools.cached_property
    def eigenvalues(self) -> tuple[sympy.Expr, ...]:
        """With multiplicity: in radicals where they are readable, else as `CRootOf`."""
        result: list[sympy.Expr] = []
        for f, multiplicity in self.factors:
            roots = closed_roots(f)
            if roots is None:
                if self.parameters:
                    found = sympy.roots(f.as_expr(), f.gen)
                    roots = [r for r, m in found.items() for _ in range(m)]
                    if len(roots) < f.degree():
                        raise DomainError(
                            f"the roots of {f.as_expr()} have no closed form",
                            "values for some of the parameters",
                            "set them, or read `.exact.charpoly`",
                        )
                elif not is_rational(f):
                    raise DomainError(
                        f"the roots of a polynomial of degree {f.degree()} over irrational numbers have no closed form",
                        "rational coefficients",
                        "read `.eigenvalues`, in floating point",
                    )
                else:
                    roots = f.all_roots()
            result.extend(r for r in roots for _ in range(multiplicity))
        return tuple(result)

    @functools.cached_property
    def defects(self) -> tuple[tuple[sympy.Poly, int], ...]:
        """(irreducible factor, multiplicity) of eigenvalues with fewer eigenvectors than their multiplicity.

        Their Jordan blocks make errors pass through t lambda^t (maps) or t e^(lambda t) (flows).
        """
        return tuple((f, m) for f, m in self.parts if m > 1 and not semisimple(self.matrix, self.parts, f))

    @functools.cached_property
    def eigenvectors(self) -> tuple[tuple[sympy.Expr, tuple[sympy.Expr, ...]], ...]:
        """(eigenvalue, basis of its eigenspace) for each different eigenvalue, in the order of `eigenvalues`.

        For a rational matrix the entries are polynomials in the eigenvalue, found in the field Q(lambda): one vector
        serves all conjugate eigenvalues. Raises DomainError where an eigenvalue has no closed form in free parameters.
        """
        found: list[tuple[sympy.Expr, tuple[sympy.Expr, ...]]] = []
        for f, _ in self.factors:
            part = dataclasses.replace(self, matrix=sympy.ImmutableMatrix(sympy.Matrix.companion(f.monic())))
            roots = list(dict.fromkeys(part.eigenvalues))
            if is_rational(f) and all(e.is_Rational for e in self.matrix):
                found += [(r, tuple(_at_root(v, r) for v in self._kernel(f))) for r in roots]
            else:
                simplest = {r: (self.matrix - r * sympy.eye(self.matrix.rows)).applyfunc(simplified) for r in roots}
                found += [(r, tuple(m.nullspace(simplify=simplified, iszerofunc=is_zero))) for r, m in simplest.items()]
        return tuple(found)

    def _kernel(self, f: sympy.Poly) -> list[list[sympy.Expr]]:
        """Eigenvectors for the roots of an irreducible rational factor, entries in Q[z]/(f), highest power first."""
        from sympy import QQ

        numbers = Algebraic(f, self.flow)
        n = self.matrix.rows
        entries = [[numbers.number(QQ.from_sympy(self.matrix[i, k])) for k in range(n)] for i in range(n)]
        for i in range(n):
            entries[i][i] = entries[i][i] - numbers.eigenvalue
        return [[[QQ.to_sympy(c) for c in x.to_list()] for x in vector] for vector in kernel(numbers, entries)]

    @functools.cached_property
    def rotation_number(self) -> sympy.Expr:
        """Turns per step of a map's leading eigenvalue, arg / 2 pi in [0, 1/2]; turns per time of a flow's, Im / 2 pi.
        Raises DomainError while a parameter has no value.
        """
        if self.parameters:
            names = ", ".join(map(str, self.parameters))
            raise DomainError(f"a leading eigenvalue while {names} is free", "values for the parameters", "set them")
        if not self.matrix.rows:
            return sympy.Integer(0)
        leading = max(self.eigenvalues, key=lambda r: self._rank(complex(sympy.N(r, 20))))
        if self.flow:
            return sympy.Abs(sympy.im(leading)) / (2 * sympy.pi)
        return simplified(sympy.Abs(sympy.arg(leading)) / (2 * sympy.pi))

    def _rank(self, value: complex) -> tuple[float, float]:
        return round(value.real if self.flow else abs(value), 12), value.imag

    @functools.cached_property
    def spectral_radius(self) -> sympy.Expr:
        """Largest modulus as an expression; with free parameters, the maximum of all moduli."""
        if not self.matrix.rows:
            return sympy.Integer(0)
        if not self.parameters:
            closed = largest_modulus(self.factors)
            if closed is not None:
                return closed
            return max((abs(r) for f, _ in self.factors for r in numeric_roots(f, DIGITS)))
        return sympy.Max(*{_modulus(r) for r in self.eigenvalues})

    @functools.cached_property
    def spectral_abscissa(self) -> sympy.Expr:
        """The largest real part of the eigenvalues, as an expression."""
        return sympy.Max(*{simplified(sympy.re(r)) for r in self.eigenvalues})


def _modulus(value: sympy.Expr) -> sympy.Expr:
    """|value|; left as it stands where it holds a root whose sign the parameters leave open."""
    roots = [p.base for p in value.atoms(sympy.Pow) if p.exp == sympy.Rational(1, 2) and p.base.free_symbols]
    if any(base.is_nonnegative is None and base.is_negative is None for base in roots):
        return sympy.Abs(value, evaluate=False)
    square = sympy.factor(sympy.expand(sympy.expand_complex(value * sympy.conjugate(value))))
    return sympy.sqrt(square)


def _at_root(vector: list[list[sympy.Expr]], root: sympy.Expr) -> sympy.Expr:
    return sympy.ImmutableMatrix([sympy.radsimp(sympy.expand(horner(entry, root))) for entry in vector])
