"""Scores by a named classifier: the Inception-style score, and which classes the samples cover."""

from __future__ import annotations

from typing import Any

import torch

from ...errors import ParameterError
from ...types import Array
from ..features import resolve
from ..registries import metrics as registry
from .score import Score, looked_at

LEAST_SHARE = 0.02


@registry.register("classifier_score", examples=())
def classifier_score(
    fake: Any, classifier: object = "digits64", real: Array | None = None, splits: int = 10, seed: int = 0
) -> Score:
    """exp E KL(p(y|x) || p(y)), p(y) the mean over a split; between 1 and the number of classes (Salimans et al. 2016).

    The Inception score is this with Inception's classes. It sees neither memorisation nor lost variety within a class,
    and a classifier of ten clear classes saturates: read it beside the real points' own score and a distance.

    Args:
        fake: samples. classifier: features with `probabilities`, by name or as an object.
        real: real points, whose score is what perfect samples get.
        splits: the value is the mean over them, the error their standard error. seed: of the points' order, so that
            points sorted by class are split evenly.
    """
    found = resolve(classifier)
    values = _scores(found.probabilities(fake), splits, seed)
    floor = None if real is None else float(_scores(found.probabilities(real), splits, seed).mean())
    error = float(values.std()) / splits**0.5 if splits > 1 else None
    n, of = len(fake), 0 if real is None else len(real)
    name = f"classifier_score_{found.name}"
    accuracy = getattr(found, "accuracy", None)
    parts = {"classifier_accuracy": accuracy} if accuracy is not None else {}
    return Score(name, float(values.mean()), error, n, of, found.name, floor, of, "higher", parts)


def _scores(probabilities: torch.Tensor, splits: int, seed: int) -> torch.Tensor:
    """The score of each split, (splits,)."""
    if not 1 <= splits <= len(probabilities):
        raise ParameterError(f"{splits} splits of {len(probabilities)} points", "at least a point in each", "splits=1")
    order = torch.randperm(len(probabilities), generator=torch.Generator().manual_seed(seed))
    scores = []
    for p in torch.tensor_split(probabilities[order.to(probabilities.device)], splits):
        mean = p.mean(0)
        scores.append((torch.special.xlogy(p, p) - torch.special.xlogy(p, mean)).sum(1).mean().exp())
    return torch.stack(scores)


@registry.register("class_coverage", examples=())
def class_coverage(fake: Any, classifier: object = "digits64", least: float = LEAST_SHARE) -> Score:
    """How many classes have at least 2 % of the samples, by the classifier's likeliest class.

    `parts` hold the shares, and the KL divergence of the shares from equal ones, in nats.

    Args:
        fake: samples. classifier: features with `probabilities`. least: the share that counts.
    """
    found = resolve(classifier)
    looked_at(fake, "coordinates", 1)
    probabilities = found.probabilities(fake)
    k = probabilities.shape[1]
    shares = torch.bincount(probabilities.argmax(1), minlength=k).double() / len(fake)
    divergence = float(torch.special.xlogy(shares, shares * k).sum())
    covered = int((shares >= least).sum())
    parts = {"of": k, "kl_from_equal": divergence, "shares": tuple(round(float(s), 6) for s in shares)}
    return Score(f"class_coverage_{found.name}", covered, None, len(fake), 0, found.name, k, 0, "higher", parts)
