"""Ways to run a rule that the contract tests compare: its own steps, and SymPy's printers of the traced map."""

from __future__ import annotations

import mpmath
import numpy as np
import sympy
from scipy.special import erf, expit

from gandyn.symbolic.expectation import Expectation

DIGITS = 40


def reached(a_rule, a_game, w, steps):
    """The rule's state and the points after some NumPy steps from w."""
    rng = np.random.default_rng(1)
    with np.errstate(all="ignore"):
        state = a_rule.init(a_game, w, rng)
        for _ in range(steps):
            w, state, _ = a_rule.step(a_game, w, state, rng)
    return w, state


def printed(traced, modules):
    """The traced map through SymPy's printers: nothing of ours between the expressions and the numbers."""
    arguments = [*traced.symbols, *traced.counters]
    program = [(name, spelled_out(e)) for name, e in traced.bindings]
    return sympy.lambdify(arguments, [*map(spelled_out, traced.outputs)], modules, cse=lambda e: (program, list(e)))


def spelled_out(e):
    """Expectations as Gauss sums of 32 nodes, as documented, from NumPy: the one thing that SymPy cannot print."""
    return e.replace(lambda x: isinstance(x, Expectation), _gauss_sum)


def _gauss_sum(expectation):
    integrand, symbol, law = expectation.args
    if str(law) == "normal":
        nodes, weights = np.polynomial.hermite_e.hermegauss(32)
        weights = weights / np.sqrt(2 * np.pi)
    else:
        nodes, weights = np.polynomial.legendre.leggauss(32)
        nodes, weights = (nodes + 1) / 2, weights / 2
    return sympy.Add(*(w * integrand.subs(symbol, x) for x, w in zip(nodes.tolist(), weights.tolist(), strict=True)))


def by_lambdify(traced, z, counters):
    stable = {"sigmoid": expit, "softplus": lambda x: np.logaddexp(0, x), "erf": erf, "DiracDelta": np.zeros_like}
    function = printed(traced, [stable, "numpy"])
    with np.errstate(all="ignore"):
        columns = function(*np.moveaxis(z, -1, 0), *counters)
    return np.stack([np.broadcast_to(np.asarray(c, float), z.shape[:-1]) for c in columns], axis=-1)


def by_mpmath(traced, z, counters):
    with mpmath.workdps(DIGITS):
        stable = {"sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)), "softplus": lambda x: mpmath.log1p(mpmath.exp(x))}
        stable["DiracDelta"] = lambda x: mpmath.mpf(0)  # no state lies on a kink
        function = printed(traced, [stable, "mpmath"])
        return np.array([[float(x) for x in function(*map(mpmath.mpf, row), *counters)] for row in z.tolist()])
