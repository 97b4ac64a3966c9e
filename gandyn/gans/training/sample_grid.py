"""Pictures of samples during training: images in a grid, points of the plane beside the data."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import writing
from ...results import Result
from ...types import Array
from .untrusted_files import write_atomically

SHOWN_IMAGES, SHOWN_POINTS = 64, 1000


@dataclasses.dataclass(frozen=True, repr=False)
class SampleGrid(Result):
    """Samples of a generator, for the same latents at every step.

    Attributes:
        points: (n, ...): images (n, channels, height, width) in [-1, 1], or points (n, size).
        data: as many points of the data. step: of the run, None where it is of none. name: of the game.
    """

    points: Array
    data: Array
    step: int | None
    name: str

    _data = "name step points"
    _plot = "samples"

    @classmethod
    def of(cls, game: Any, w: Array, step: int) -> SampleGrid:
        """Samples of a game at w."""
        images = game.reference.real.ndim == 4
        n = SHOWN_IMAGES if images else SHOWN_POINTS
        points = game.sample(w, n, np.random.default_rng(3))
        size, game.size = game.size, n
        try:
            data = game.draw(np.random.default_rng(4)).real
        finally:
            game.size = size
        return cls(points.detach().float().cpu().numpy(), data.detach().float().cpu().numpy(), step, game.name)

    def save(self, path: Path) -> None:
        """Write a PNG, whole or not at all."""
        with writing(path.parent):
            path.parent.mkdir(exist_ok=True)
        figure, picture = self.plot(), io.BytesIO()
        figure.savefig(picture, format="png", dpi=150, metadata={"Software": None})
        write_atomically(path, picture.getvalue())

    def summary(self) -> str:
        """One line: how many samples, of which data, at which step."""
        when = "" if self.step is None else f" at step {self.step}"
        return f"{len(self.points)} samples of {self.name}{when}, each {self.points.shape[1:]}"
