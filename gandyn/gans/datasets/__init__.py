"""Data for GANs, by name. `gd.gans.datasets.NAME(...)` builds one; `resolve("digits(size=32)")` does so from text.

Every data set has

    name, shape         what pictures call it; the shape of one point: (2,), (1, 28, 28), ...
    classes             how many kinds of points there are, or None where points have no labels
    sample(n, rng)      n points on its device, in its dtype, images scaled to [-1, 1]; `rng` is a torch generator
    sample_labelled     the same with labels, (points (n, ...), labels (n,)), where `classes` is not None
    to(device, dtype)   the same data elsewhere
    features            the name of the features that metrics look at by default
    held_out            data of the same kind that no training sees: a test split, or, for exact densities, the density

Data sets of finitely many points (`Points`) also have `len`, `points` and `labels`, and `shuffled(seed)`, which goes
through all points epoch by epoch; its `state_dict()` is the position, from which the order resumes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..registries import datasets as registry
from .mixtures import Mixture
from .points import Points, Shuffled
from .table import SUFFIXES, of_array
from .torch_datasets import DatasetPoints, of_torch


def resolve(data: object) -> Any:
    """Data as a sampler: named or called in text ("ring", "digits(size=32)"), a path of a table or of a folder of
    pictures, a NumPy array (N, ...), a data set or loader of PyTorch; anything else is passed through.
    """
    if isinstance(data, Path) or (isinstance(data, str) and (Path(data).suffix in SUFFIXES or Path(data).is_dir())):
        build = registry["folder" if Path(data).is_dir() else "table"].build
        return build(str(data))
    if isinstance(data, str):
        return registry.from_text(data)
    return of_array(data) if isinstance(data, np.ndarray) else of_torch(data)


registry.load(__name__, list(__path__))

__all__ = ["DatasetPoints", "Mixture", "Points", "Shuffled", "registry", "resolve"]
__getattr__, __dir__ = registry.face(__all__)
