"""Exact arithmetic of discs and roots under `gd.rate`, against NumPy's roots."""

from fractions import Fraction

import numpy as np

from gandyn.analysis.optimal.discs import first_root, inside, interpolated, outside


def test_discs_and_roots_against_numpy():
    rng = np.random.default_rng(0)
    for _ in range(60):
        p = [Fraction(int(c), 8) for c in rng.integers(-20, 20, rng.integers(2, 6))]
        if not p[-1]:
            continue
        size = np.abs(np.roots([float(c) for c in reversed(p)])).max(initial=0.0)
        for r in (Fraction(1, 2), Fraction(3, 2)):
            if abs(size - float(r)) > 1e-9:
                assert inside(p, r) == (size < float(r))
    cubic = [Fraction(c) for c in (-3, 1, 7, -4)]
    values = [sum(c * u**k for k, c in enumerate(cubic)) for u in range(4)]
    assert interpolated(values) == cubic
    assert first_root([1, -4, 4]) is not None  # (1 - 2u)^2: a double root counts
    assert first_root([1, 0, 1]) is None
    near = 2**150  # (3 u - 1)^2 + 2^-150: a pair of complex roots closer to 1/3 than sixty halvings
    assert first_root([near + 1, -6 * near, 9 * near]) is None
    assert outside(lambda u: [u - Fraction(1, 2), Fraction(1)], 1, Fraction(1, 2))[0] == 0


def test_a_point_next_to_the_root_is_named():
    """Of (3u - 1)^2, whose root is no middle of an interval, (2u - 1)^2, whose root is one, and u^2 + u - 1."""
    for p, root in (([1, -6, 9], 1 / 3), ([1, -4, 4], 1 / 2), ([-1, 1, 1], (5**0.5 - 1) / 2)):
        assert abs(float(first_root(p)) - root) < 1e-12
