"""What runs of several seeds settle: an exact rank test, Holm's correction, and whether a longer run was worth it."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import rankdata

LEVEL = 0.05
GAIN, MOST = 0.1, 0.8


def rank_test(one: Sequence[float], other: Sequence[float]) -> float:
    """Two-sided p of the Mann-Whitney test, exact also where numbers are equal: how often a random split of all the
    numbers has a rank sum at least as far from its mean as this one. `math.inf` stands for a run that diverged.
    """
    doubled = np.rint(2 * rankdata([*one, *other])).astype(int)
    ways = np.zeros((len(one) + 1, doubled.sum() + 1))
    ways[0, 0] = 1
    for rank in doubled:
        ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank].copy()
    far = abs(np.arange(ways.shape[1]) - len(one) * doubled.mean())
    observed = far[doubled[: len(one)].sum()]
    return float(ways[-1, far >= observed - 1e-9].sum() / ways[-1].sum())


def holm(values: Sequence[float]) -> list[float]:
    """p values for which all that are below a level are wrong together with at most that probability (Holm 1979)."""
    order = sorted(range(len(values)), key=lambda k: values[k])
    adjusted, most = [0.0] * len(values), 0.0
    for place, k in enumerate(order):
        most = max(most, min(1.0, (len(values) - place) * values[k]))
        adjusted[k] = most
    return adjusted


def pairs(distances: Mapping[str, Sequence[float]]) -> list[dict[str, object]]:
    """Every pair of methods, that with the smaller median first: in how many seeds it is nearer, p, and whether the
    order is settled at the 5 % level with all pairs counted.
    """
    ranked = sorted(distances, key=lambda method: statistics.median(distances[method]))
    found = list(itertools.combinations(ranked, 2))
    raw = [rank_test(distances[a], distances[b]) for a, b in found]
    return [
        {
            "nearer": a,
            "farther": b,
            "in_seeds": sum(x < y for x, y in zip(distances[a], distances[b], strict=True)),
            "seeds": len(distances[a]),
            "p": p,
            "p_holm": corrected,
            "settled": corrected < LEVEL,
        }
        for (a, b), p, corrected in zip(found, raw, holm(raw), strict=True)
    ]


def ending(half: Sequence[float], whole: Sequence[float]) -> str:
    """What the second half of the budget brought, from distances of the same seeds at half the budget and at all of it.

    "diverged" where more than half of the runs did. "still improving" where the whole budget comes nearer in at least
    four fifths of the seeds, and by a tenth or more at the median; "worse with more" where it is the other way round;
    "converged" elsewhere. "not known" without runs of half the budget.
    """
    if sum(map(math.isinf, whole)) > len(whole) / 2:
        return "diverged"
    seeds = [(a, b) for a, b in zip(half, whole, strict=False) if not (math.isinf(a) and math.isinf(b))]
    if not seeds:
        return "not known"
    gain = 1 - statistics.median(b / a for a, b in seeds)
    if sum(b < a for a, b in seeds) >= MOST * len(seeds) and gain >= GAIN:
        return "still improving"
    if sum(b > a for a, b in seeds) >= MOST * len(seeds) and gain <= -GAIN:
        return "worse with more"
    return "converged"


def at_equal_seconds(
    half: Mapping[str, float], whole: Mapping[str, float], seconds: Mapping[str, float]
) -> tuple[float, dict[str, float]]:
    """The seconds that the dearest method needs for half the budget, and each method's distance after as many.

    Between half the budget and all of it a distance is interpolated along the logarithm of the budget; beyond it a
    method keeps what the whole budget gave, so that cheap methods are, if anything, judged too harshly.
    """
    allowed = max(seconds.values()) / 2
    found = {}
    for method, price in seconds.items():
        place = 1 + min(0.0, math.log2(allowed / price))
        found[method] = whole[method] if place == 1 else half[method] + place * (whole[method] - half[method])
    return allowed, found
