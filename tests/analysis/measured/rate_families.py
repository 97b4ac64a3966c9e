"""Planted trajectories with a known rate: (name, draw(rng) -> (t, distance), true rho per unit of t, true exponent)."""

import numpy as np


def autoregression(rng, n, memory, size):
    """n numbers of standard deviation `size` with correlation `memory` between neighbours."""
    noise = np.empty(n)
    noise[0] = rng.normal()
    for k in range(1, n):
        noise[k] = memory * noise[k - 1] + np.sqrt(1 - memory**2) * rng.normal()
    return size * noise


def _linear(memory=0.0, size=0.05, n=600, swing=None):
    def draw(rng):
        t, rho = np.arange(float(n)), np.exp(-0.01)
        return t, rho**t * np.exp(autoregression(rng, n, memory, size)) * _swing(rng, t, swing)

    return draw


def _power(p=1.0, memory=0.0, size=0.05, n=1000, swing=None):
    def draw(rng):
        t = np.arange(float(n))
        return t, (t + 3) ** -p * np.exp(autoregression(rng, n, memory, size)) * _swing(rng, t, swing)

    return draw


def _swing(rng, t, kind):
    """A periodic factor of random period and phase."""
    if kind is None:
        return 1.0
    turns = t * rng.uniform(0.1, 0.4) + rng.uniform(0, 2 * np.pi)
    return {
        "mild": 1 + 0.5 * np.cos(turns),
        "deep": np.abs(np.cos(turns)) + 1e-12,
        "ellipse": np.hypot(np.cos(turns), 0.3 * np.sin(turns)),
    }[kind]


RHO = np.exp(-0.01)
FAMILIES = [
    ("linear, white", _linear(), RHO, None),
    ("linear, correlated .5", _linear(0.5), RHO, None),
    ("linear, correlated .8", _linear(0.8), RHO, None),
    ("linear, correlated .8, short", _linear(0.8, n=300), RHO, None),
    ("linear, oscillating", _linear(swing="mild"), RHO, None),
    ("linear, oscillating, quiet", _linear(size=1e-3, swing="ellipse"), RHO, None),
    ("linear, oscillating through 0, no noise", _linear(size=0.0, swing="deep"), RHO, None),
    ("linear, oscillating and correlated", _linear(0.6, swing="mild"), RHO, None),
    ("power, white", _power(), None, 1.0),
    ("power 1/2, white", _power(0.5), None, 0.5),
    ("power, correlated .5", _power(memory=0.5), None, 1.0),
    ("power, correlated .8", _power(memory=0.8), None, 1.0),
    ("power, oscillating", _power(swing="mild"), None, 1.0),
    ("power, oscillating, quiet", _power(size=1e-3, swing="ellipse"), None, 1.0),
    ("power, oscillating, no noise", _power(size=0.0, swing="mild"), None, 1.0),
    ("power, oscillating through 0, no noise", _power(size=0.0, swing="deep"), None, 1.0),
    ("power, oscillating and correlated", _power(memory=0.6, swing="mild"), None, 1.0),
]
