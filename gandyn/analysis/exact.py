"""A linearisation in exact arithmetic: characteristic polynomial, eigenvalues in radicals, spectral radius."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from ..errors import DomainError


@dataclasses.dataclass(frozen=True)
class ExactLinearization:
    """The same in exact arithmetic.

    Attributes:
        matrix: SymPy matrix. parameters: its free symbols.
    """

    matrix: Any
    flow: bool
    parameters: tuple[Any, ...]

    @functools.cached_property
    def charpoly(self) -> Any:
        """det(z I - matrix), an expression in z."""
        from .polynomials import Z

        return self.matrix.charpoly(Z).as_expr()

    @functools.cached_property
    def factors(self) -> list[tuple[Any, int]]:
        """Irreducible factors of the characteristic polynomial, with multiplicities."""
        from .polynomials import factors

        return factors(self.matrix)

    @functools.cached_property
    def eigenvalues(self) -> tuple[Any, ...]:
        """With multiplicity: in radicals where they are readable, else as `CRootOf`."""
        import sympy

        from .polynomials import closed_roots

        result: list[Any] = []
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
                else:
                    roots = f.all_roots()
            result.extend(r for r in roots for _ in range(multiplicity))
        return tuple(result)

    @functools.cached_property
    def spectral_radius(self) -> Any:
        """Largest modulus as an expression; with free parameters, the maximum of all moduli."""
        import sympy

        from .polynomials import DIGITS, largest_modulus, numeric_roots

        if not self.parameters:
            closed = largest_modulus(self.factors)
            if closed is not None:
                return closed
            return max((abs(r) for f, _ in self.factors for r in numeric_roots(f, DIGITS)))
        return sympy.Max(*{_modulus(r) for r in self.eigenvalues})

    @functools.cached_property
    def spectral_abscissa(self) -> Any:
        """Largest real part as an expression."""
        import sympy

        return sympy.Max(*{sympy.simplify(sympy.re(r)) for r in self.eigenvalues})


def _modulus(value: Any) -> Any:
    """|value|; left as it stands where it holds a root whose sign the parameters leave open."""
    import sympy

    roots = [p.base for p in value.atoms(sympy.Pow) if p.exp == sympy.Rational(1, 2) and p.base.free_symbols]
    if any(base.is_nonnegative is None and base.is_negative is None for base in roots):
        return sympy.Abs(value, evaluate=False)
    square = sympy.factor(sympy.expand(sympy.expand_complex(value * sympy.conjugate(value))))
    return sympy.sqrt(square)
