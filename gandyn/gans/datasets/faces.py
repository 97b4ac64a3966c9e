"""A hundred real faces that install as a package: a second domain for tests and small runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...doors import door
from ..registries import datasets as registry
from .digits import needs
from .images import channels_first, fitted
from .points import Points

FACES = 100


@registry.register("faces")
@door
def faces(size: int = 32, fit: str = "resize", held_out: float = 0.2, seed: int = 0) -> Points:
    """100 gray faces of 25 x 25 pixels from Labeled Faces in the Wild, as (1, size, size) in [-1, 1]; 20 held out.

    They come with scikit-image (`lfw_subset`, whose other hundred pictures are not faces). A hundred points are few: a
    generator can memorise them, which is what the memorisation test is for.

    Args:
        size: 25 leaves them. fit: "resize", or "pad".
        held_out: share kept apart; 0 for none. seed: of that choice.

    Raises:
        MissingDependencyError: without scikit-image.
    """
    with needs("scikit-image"):
        from skimage.data import lfw_subset
    load: Callable[[], Any] = lfw_subset
    pixels = np.rint(255 * np.asarray(load())[:FACES])
    data = Points("faces", fitted(channels_first(pixels, (FACES, 1, 25, 25)), size, fit))
    return data.split(held_out, seed) if held_out else data
