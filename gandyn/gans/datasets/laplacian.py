"""One level of a Laplacian pyramid: what a picture has beyond the coarser one given (Denton et al. 2015)."""

from __future__ import annotations

import torch

from ...arguments.values import from_zero
from ...doors import door
from ...errors import DomainError
from ...types import Array
from ..registries import datasets as registry
from .points import Points


def coarser(pictures: torch.Tensor) -> torch.Tensor:
    """Half as many pixels on a side: means of 2 x 2."""
    return torch.nn.functional.avg_pool2d(pictures, 2)


def finer(pictures: torch.Tensor) -> torch.Tensor:
    """Twice as many pixels on a side, between the pixels bilinear."""
    return torch.nn.functional.interpolate(pictures, scale_factor=2, mode="bilinear", align_corners=False)


def _shape_of(pictures: object) -> tuple[int, ...]:
    shape = tuple(getattr(pictures, "shape", ()))
    if len(shape) != 3:
        raise DomainError(f"a pyramid of {pictures!r}", "pictures (c, height, width)", 'data="digits"')
    return shape


class LaplacianLevel:
    """Pairs (h, l) of the k-th level: l = finer(coarser(I_k)), h = I_k - l, I_k the picture made coarser k times.

    The level's point is h, and its label is the picture l, on which both networks of the level depend.

    `pictures`: data (N, c, height, width); `level`: k, from 0.
    """

    classes = None
    features = "coordinates"

    def __init__(self, pictures: Array, level: int) -> None:
        channels, *sides = _shape_of(pictures)
        self.pictures, self.level = pictures, level
        self.name = f"level {level} of {pictures.name}"
        if any(side % 2 ** (level + 1) for side in sides):
            raise DomainError(
                f"level {level} of pictures {tuple(sides)}", f"sides divisible by {2 ** (level + 1)}", "0"
            )
        self.shape = (channels, *(side // 2**level for side in sides))

    def sample_labelled(self, n: int, generator: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """n pairs (h, l), each (n, c, height, width)."""
        fine = self.pictures.sample(n, generator)
        for _ in range(self.level):
            fine = coarser(fine)
        low = finer(coarser(fine))
        return fine - low, low

    def sample(self, n: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """n differences h, (n, c, height, width), without the coarse pictures that they belong to."""
        return self.sample_labelled(n, generator)[0]

    def to(self, device: object = None, dtype: torch.dtype | None = None) -> LaplacianLevel:
        """The level with its pictures (n, c, height, width) moved to another device or precision."""
        return LaplacianLevel(self.pictures.to(device, dtype), self.level)

    @property
    def held_out(self) -> LaplacianLevel:
        """Differences h of the pictures that are kept for judging: a `LaplacianLevel` of this level and shape."""
        return LaplacianLevel(self.pictures.held_out, self.level)

    def __repr__(self) -> str:
        return f"<{self.name}: {self.shape}>"


@registry.register("laplacian", examples=())
@door
def laplacian(data: object = "digits", level: int = 0) -> LaplacianLevel:
    """The k-th level of the Laplacian pyramid of some pictures, for a GAN that makes h of a coarse picture l.

    Args:
        data: pictures, or the name of a set. level: 0 for the finest; each has half the pixels on a side.

    Raises:
        DomainError: where the sides cannot be halved so often.
    """
    from . import resolve

    return LaplacianLevel(resolve(data), from_zero("level", level))


@registry.register("coarse", examples=())
@door
def coarse(data: object = "digits", times: int = 1) -> Points:
    """Pictures made coarser so many times: the top of a Laplacian pyramid.

    Args:
        data: pictures, or the name of a set of finitely many. times: how often sides are halved.
    """
    from . import resolve

    pictures, times = resolve(data), from_zero("times", times)
    if not isinstance(pictures, Points) or any(side % 2**times for side in _shape_of(pictures)[1:]):
        raise DomainError(f"{pictures!r} made coarser {times} times", "finitely many pictures of such sides", "1")
    held_out = None if pictures._held_out is None else coarse(pictures.held_out, times)
    points = pictures.points
    for _ in range(times):
        points = coarser(points)
    name = f"{pictures.name}, coarser {times} times"
    return Points(name, points, pictures.labels, pictures.classes, held_out, dtype=pictures.dtype)
