"""The losses of the catalogue sorted by kind, for their tests."""

from __future__ import annotations

import numpy as np
import pytest

from gandyn.losses import registry

CASES = [(entry.name, k) for entry in registry for k in range(len(entry.examples))]
LINKS = ("real", "fake", "generator")
LOGITS = np.array([-7.5, -2.0, -0.9, -0.3, 0.2, 0.7, 1.6, 3.1, 8.25])


def build(case):
    entry = registry[case[0]]
    return entry.build(**entry.examples[case[1]])


SEPARABLE = [case for case in CASES if build(case).separable]


def label(case):
    return f"{case[0]}.{case[1]}"


def every(cases):
    return pytest.mark.parametrize("case", cases, ids=label)


def richardson(f, x, h=1e-2):
    d1, d2, d4 = ((f(x + k) - f(x - k)) / (2 * k) for k in (h, h / 2, h / 4))
    return (64 * d4 - 20 * d2 + d1) / 45


REAL = np.array([1.3, -0.4, 0.9, 2.2])
FAKE = np.array([0.2, 0.5, -1.7, 1.9])
