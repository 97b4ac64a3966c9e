"""All metrics that make sense for a data set, of one set of samples: what a training run logs and a person reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch

from ...errors import ParameterError
from ...results import Result
from ..features import Features, resolve
from .birthday import support_size
from .classifier import class_coverage, classifier_score
from .frechet import RESAMPLES, frechet
from .manifolds import coverage, density, precision, recall
from .mean_discrepancy import kid
from .memorisation import memorisation
from .modes import modes, reverse_kl
from .score import Score, looked_at
from .transport import sliced_wasserstein, wasserstein

LARGEST, LARGEST_PAIRED, LEAST = 2000, 1000, 20
MOST_RESAMPLED = 256


@dataclasses.dataclass(frozen=True, repr=False)
class Assessment(Result):
    """Scores by name, of one set of samples.

    Attributes:
        data: name of the data set. scores: name -> `Score`.
    """

    data: str
    scores: Mapping[str, Score]

    def __getitem__(self, name: str) -> Score:
        return self.scores[name]

    def values(self) -> dict[str, float]:
        """The scores as a dict from name to number, as a log takes them."""
        return {score.metric: score.value for score in self.scores.values()}

    def summary(self) -> str:
        """One line a score."""
        return "\n".join([f"samples against {self.data}:", *(f"  {score.summary()}" for score in self.scores.values())])


def assess(data: Any, fake: torch.Tensor, features: Any = None, seed: int = 0) -> Assessment:
    """Every metric that fits the data: modes of mixtures, copies of points, classes where features are a classifier's.

    Real points are as many as the samples, at most 2 000 of either, and drawn anew (mixtures) or without replacement;
    floors are against the held-out part. The Frechet distance of more than 256 features comes without an error, which
    would take long.

    Args:
        data: a data set. fake: samples (n, ...) of its shape, at least 20.
        features: a name or an object; those of the data set by default.
        seed: of the choice of real points.

    Example:
        >>> import torch, gandyn as gd
        >>> ring = gd.gans.ring()
        >>> result = gd.gans.metrics.assess(ring, ring.sample(500, torch.Generator().manual_seed(0)))
        >>> result["modes"].value, result["frechet"].features
        (8, 'coordinates')
    """
    fake = torch.as_tensor(fake).detach()[:LARGEST]
    shape = tuple(data.shape)
    if tuple(fake.shape[1:]) != shape or len(fake) < LEAST:
        needed = f"at least {LEAST} points of shape {shape}"
        raise ParameterError(f"samples of shape {tuple(fake.shape)}", needed, "game.sample(w, 1000)")
    source = torch.Generator(fake.device).manual_seed(seed)
    real, other = (_some(part.to(device=fake.device), len(fake), source) for part in (data, data.held_out))
    looks = resolve(features or data.features)
    known = Features(looks.name, torch.nn.Identity(), 0)
    x, y, z = (_looked(looks, points) for points in (real, fake, other))
    of_data = {"modes": modes(data, fake), "reverse_kl": reverse_kl(data, fake)} if hasattr(data, "modes") else {}
    scores = {**of_data, **_of_features(x, y, z, known)}
    if hasattr(data, "points"):
        training = _looked(looks, data.points.to(fake.device))
        scores["memorisation"] = memorisation(training, z, y, known)
    if hasattr(looks, "probabilities") and getattr(looks, "accuracy", None) is not None:
        scores["class_coverage"] = class_coverage(fake, looks)
        scores["classifier_score"] = classifier_score(fake, looks, real)
    return Assessment(str(data.name), scores)


def _of_features(x: torch.Tensor, y: torch.Tensor, z: torch.Tensor, known: object) -> dict[str, Score]:
    """Scores of real points x, samples y and other real points z, given as features."""
    few = min(len(x), len(y), len(z), LARGEST_PAIRED)
    return {
        "frechet": frechet(x, y, known, z, RESAMPLES if x.shape[1] <= MOST_RESAMPLED else 0),
        "kid": kid(x, y, known),
        "wasserstein": wasserstein(x[:few], y[:few], 1, known, z[:few]),
        "sliced_wasserstein": sliced_wasserstein(x, y, features=known, other_real=z),
        "precision": precision(x, y, features=known),
        "recall": recall(x, y, features=known),
        "density": density(x, y, features=known),
        "coverage": coverage(x, y, features=known),
        "support_size": support_size(y, x, features=known),
    }


def _looked(features: Features, points: torch.Tensor) -> torch.Tensor:
    """The features of points; coordinates are those of points of any shape."""
    return looked_at(points, "coordinates" if features.name == "coordinates" else features)[1]


def _some(data: Any, n: int, source: torch.Generator) -> torch.Tensor:
    """n points: fresh ones of a density; different ones of finitely many, all of them if there are no more."""
    if not hasattr(data, "points"):
        return data.sample(n, source)  # type: ignore[no-any-return]
    order = torch.randperm(len(data), generator=source, device=source.device)[:n]
    return data.at(order)  # type: ignore[no-any-return]
