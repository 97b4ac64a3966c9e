"""Scores by a named classifier: the Inception-style score, and which classes the samples cover."""

from __future__ import annotations

from typing import Any

import torch

from ...errors import ParameterError
from ...types import Array
from ..features import resolve
from ..features.feature_map import Features
from ..registries import metrics as registry
from .score import Score, looked_at

LEAST_SHARE = 0.02


def class_probabilities(classifier: Any, points: Any) -> tuple[Features, str, torch.Tensor]:
    """(classifier, its name, its probabilities of points, (n, K)), of features by name or an object with probabilities.
    Raises ParameterError for an object without `probabilities`, and for answers that are none: another shape than (n,
    K), numbers below 0 or that are not finite, rows whose sum is not 1.
    """
    found = resolve(classifier)
    needed, fix = "an object with `probabilities`: points -> (n, K), each row with sum 1", 'classifier="digits64"'
    if not callable(getattr(found, "probabilities", None)):
        raise ParameterError(f"{type(found).__name__} as a classifier", needed, fix)
    p = torch.as_tensor(found.probabilities(points)).detach()
    name = str(getattr(found, "name", type(found).__name__))
    if p.ndim != 2 or len(p) != len(points):
        raise ParameterError(f"{name}, which answers {len(points)} points with {tuple(p.shape)}", needed, fix)
    if not bool((p >= -1e-6).all() and ((p.sum(1) - 1).abs() < 1e-2).all()):
        raise ParameterError(f"{name}, whose answers are no probabilities", needed, "torch.softmax(logits, 1)")
    return found, name, p


@registry.register("classifier_score", examples=())
def classifier_score(
    fake: Any, classifier: object = "digits64", real: Array | None = None, splits: int = 10, seed: int = 0
) -> Score:
    """exp E KL(p(y|x) || p(y)), p(y) the mean over a split; between 1 and the number of classes (Salimans et al. 2016).

    The Inception score is this with Inception's classes. It sees neither memorisation nor lost variety within a class,
    and a classifier of ten clear classes saturates: read it beside the real points' own score and a distance.

    Args:
        fake: samples. classifier: features with `probabilities`, by name, or an object with `probabilities`, points
            (n, ...) -> (n, K), a tensor or array; its `name` and stated `accuracy` are shown where it has them.
        real: real points, whose score is what perfect samples get.
        splits: the value is the mean over them, the error their standard error. seed: of the points' order, so that
            points sorted by class are split evenly.
    """
    found, classes, probabilities = class_probabilities(classifier, fake)
    values = _scores(probabilities, splits, seed)
    floor = None if real is None else float(_scores(class_probabilities(found, real)[2], splits, seed).mean())
    error = float(values.std()) / splits**0.5 if splits > 1 else None
    n, of = len(fake), 0 if real is None else len(real)
    name = f"classifier_score_{classes}"
    accuracy = getattr(found, "accuracy", None)
    parts = {"classifier_accuracy": accuracy} if accuracy is not None else {}
    return Score(name, float(values.mean()), error, n, of, classes, floor, of, "higher", parts)


def _scores(probabilities: torch.Tensor, splits: int, seed: int) -> torch.Tensor:
    """The score of each split, (splits,)."""
    if isinstance(splits, bool) or not isinstance(splits, int) or not 1 <= splits <= len(probabilities):
        raise ParameterError(
            f"{splits!r} splits of {len(probabilities)} points", "at least a point in each", "splits=1"
        )
    order = torch.randperm(len(probabilities), generator=torch.Generator().manual_seed(seed), device="cpu")
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
    looked_at(fake, "coordinates", 1)
    _, name, probabilities = class_probabilities(classifier, fake)
    k = probabilities.shape[1]
    shares = torch.bincount(probabilities.argmax(1), minlength=k).double() / len(fake)
    divergence = float(torch.special.xlogy(shares, shares * k).sum())
    covered = int((shares >= least).sum())
    parts = {"of": k, "kl_from_equal": divergence, "shares": tuple(round(float(s), 6) for s in shares)}
    return Score(f"class_coverage_{name}", covered, None, len(fake), 0, name, k, 0, "higher", parts)
