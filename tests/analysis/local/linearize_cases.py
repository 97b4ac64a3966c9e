"""Games and symbols that the tests of linearisations share."""

import sympy

import gandyn as gd

BILINEAR = gd.games.bilinear()


FIFTH, HALF = sympy.Rational(1, 5), sympy.Rational(1, 2)
