"""How many different points can the generator make? The birthday paradox (Arora & Zhang 2018)."""

from __future__ import annotations

import math

from ...errors import ParameterError
from ...types import Array
from ..registries import metrics as registry
from .score import Score, looked_at, nearest, own_distances

CONFIDENCE = 0.95


@registry.register("support_size", examples=())
def support_size(
    fake: object, real: Array = None, threshold: float | None = None, features: object = "coordinates"
) -> Score:
    """N(N - 1) / (2 C): the number of equally likely points that gives, on average, C coinciding pairs among N samples.

    Each of the N(N-1)/2 pairs of a uniform distribution on K points coincides with probability 1/K; where points are
    not equally likely, 1/K is the collision probability sum p_i^2, and the support is at least K. Two samples coincide
    if they are closer than `threshold`. The paper's statement, a duplicate in a batch of s with probability 1/2 means a
    support of about s^2, is the case C = log 2, of which it drops the factor.

    Args:
        fake: samples (N, ...).
        real: real points, best as many; the threshold is half of the smallest distance between any two that differ.
            As many fresh samples of a density in d dimensions then make about 2^-d pairs by chance.
        threshold: a distance, instead.
        features: as for `frechet`.

    Returns:
        A score with `parts`: pairs C; low and high, the 95 % interval of the estimate with C taken as Poisson, infinite
        where it is; batch_for_half, the batch in which a duplicate is as likely as not. Without pairs the value is inf.

    Raises:
        ParameterError: with neither real points nor a threshold.
    """
    name, y = looked_at(fake, features)
    if threshold is None:
        if real is None:
            raise ParameterError("support_size without a scale", "real points, or a distance", "threshold=0.1")
        apart = nearest(looked_at(real, features)[1], 1)
        threshold = 0.5 * float(apart[apart > 0].min())
    if not threshold >= 0:
        raise ParameterError(f"threshold={threshold}", "a distance", "threshold=0.1")
    n = len(y)
    pairs = int((own_distances(y) <= threshold).sum()) // 2
    possible = n * (n - 1) / 2
    fewest, most = _interval(pairs)
    value = possible / pairs if pairs else float("inf")
    parts = {
        "pairs": pairs,
        "low": possible / most,
        "high": possible / fewest if fewest else float("inf"),
        "batch_for_half": math.sqrt(2 * math.log(2) * value),
        "threshold": float(threshold),
    }
    error = value / pairs**0.5 if pairs else None
    return Score(
        f"support_size_{name}", value, error, n, 0 if real is None else len(real), name, None, 0, "higher", parts
    )


def _interval(pairs: int) -> tuple[float, float]:
    """Exact limits for the mean of a Poisson count (Garwood 1936)."""
    from scipy.stats import chi2

    tail = (1 - CONFIDENCE) / 2
    return float(chi2.ppf(tail, 2 * pairs) / 2) if pairs else 0.0, float(chi2.ppf(1 - tail, 2 * pairs + 2) / 2)
