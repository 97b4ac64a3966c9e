"""Projections onto a simplex: the formula in symbols and the one in fractions give what sorting numbers gives."""

import numpy as np
import pytest
import sympy

from gandyn.oracles.projections import project_to_simplex


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 3])
def test_symbols_and_fractions_are_projected_as_numbers_are(size):
    symbols = sympy.symbols(f"x1:{size + 1}", real=True)
    formula = project_to_simplex(np.array([*symbols, None], dtype=object)[:-1])
    assert formula.shape == (size,)
    for row in np.random.default_rng(size).integers(-9, 10, (12, size)):
        fractions = np.array([*(sympy.Rational(int(k), 5) for k in row), None], dtype=object)[:-1]
        expected = project_to_simplex(row / 5)
        assert expected.sum() == pytest.approx(1, abs=1e-14)
        exact = project_to_simplex(fractions)
        assert sum(exact) == 1
        np.testing.assert_allclose(exact.astype(float), expected, atol=1e-14)
        there = [e.subs(dict(zip(symbols, fractions, strict=True))) for e in formula]
        assert list(there) == list(exact)
