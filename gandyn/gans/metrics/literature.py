"""FID, KID, Inception score, precision and recall as papers print them: the conventions of torch-fidelity, exactly."""

from __future__ import annotations

import numpy as np
import torch

from ...errors import ParameterError
from ...types import Array
from ..features import resolve
from ..registries import metrics as registry
from .frechet import distance
from .manifolds import precision, recall
from .mean_discrepancy import squared_mmd
from .score import Score, both

SEED = 2020  # torch-fidelity's own


@registry.register("fid", examples=())
def fid(real: Array, fake: Array, features: object) -> Score:
    """The Frechet Inception distance: `frechet` of Inception's 2 048 features (Heusel et al. 2017).

    Papers compare 50 000 samples with the training set, or with 50 000 of it: the number falls as N grows.

    Args:
        real, fake: pictures (N, c, h, w) in [-1, 1].
        features: 'gd.gans.features.inception("weights.pth")', or the same as text.
    """
    name, x, y = both(real, fake, features)
    return Score(f"fid_{name}", distance(x, y), None, len(y), len(x), name)


@registry.register("inception_score", examples=())
def inception_score(fake: Array, features: object, splits: int = 10, seed: int = SEED) -> Score:
    """exp E KL(p(y|x) || p(y)) over consecutive splits of shuffled samples, mean and spread (Salimans et al. 2016).

    As torch-fidelity: logits without biases, the order of `numpy.random.RandomState(2020)`, splits from i N // splits.
    `parts["spread"]` is the population standard deviation over the splits, which papers print after +-.

    Args:
        fake: pictures (N, c, h, w) in [-1, 1], 50 000 in papers. features: with `logits`, as for `fid`.
        splits: how many. seed: of the order.
    """
    found, n = resolve(features), len(fake)
    if not 1 <= splits <= n:
        raise ParameterError(f"{splits} splits of {n} points", "at least a point in each", "splits=1")
    order = torch.from_numpy(np.random.RandomState(seed).permutation(n))
    logs = found.logits(torch.as_tensor(fake)).double()[order].log_softmax(1)
    values = []
    for i in range(splits):
        part = logs[i * n // splits : (i + 1) * n // splits]
        mean = part.exp().mean(0)
        values.append(float((part.exp() * (part - mean.log())).sum(1).mean().exp()))
    name = f"inception_score_{found.name}"
    parts = {"spread": float(np.std(values))}
    error = float(np.std(values, ddof=1)) / splits**0.5 if splits > 1 else None
    return Score(name, float(np.mean(values)), error, n, 0, found.name, better="higher", parts=parts)


@registry.register("kernel_inception_distance", examples=())
def kernel_inception_distance(
    real: Array, fake: Array, features: object, subsets: int = 100, subset_size: int = 1000, seed: int = SEED
) -> Score:
    """The mean of the unbiased cubic MMD^2 over random subsets (Binkowski et al. 2018), as torch-fidelity draws them.

    `kid` estimates the same number from all points at once, with a smaller error. `parts["spread"]` is the standard
    deviation over subsets that papers print after +-.

    Args:
        real, fake: pictures (N, c, h, w) in [-1, 1]. features: as for `fid`.
        subsets, subset_size: how many, of how many points on each side. seed: of `numpy.random.RandomState`.
    """
    name, x, y = both(real, fake, features)
    if not 2 <= subset_size <= min(len(x), len(y)):
        given = f"subset_size={subset_size} of {len(x)} and {len(y)} points"
        raise ParameterError(given, "2 to the smaller of both", f"subset_size={min(len(x), len(y))}")

    def cubic(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a @ b.T / a.shape[1] + 1) ** 3

    rng, values = np.random.RandomState(seed), []
    for _ in range(subsets):
        a, b = (torch.from_numpy(rng.choice(len(z), subset_size, replace=False)) for z in (x, y))
        values.append(squared_mmd(x[a], y[b], cubic))
    spread = float(np.std(values))
    parts = {"spread": spread, "subsets": subsets, "subset_size": subset_size}
    return Score(f"kid_subsets_{name}", float(np.mean(values)), None, len(y), len(x), name, 0.0, parts=parts)


@registry.register("precision_recall", examples=())
def precision_recall(real: Array, fake: Array, features: object, k: int = 3) -> Score:
    """Their harmonic mean, with `precision` and `recall` in `parts` (Kynkaanniemi et al. 2019; k = 3).

    Papers use features of VGG-16; with Inception's the numbers are others.

    Args:
        real, fake: points. features: a name or an object. k: neighbours.
    """
    found = resolve(features)
    shares = [score(real, fake, k, found).value for score in (precision, recall)]
    value = 2 * shares[0] * shares[1] / max(1e-5, sum(shares))
    name = str(getattr(found, "name", found))
    parts = {"precision": shares[0], "recall": shares[1]}
    return Score(f"f{k}_{name}", value, None, len(fake), len(real), name, better="higher", parts=parts)
