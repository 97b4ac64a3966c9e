"""Finitely many points on a device: drawn with replacement, or shuffled epoch by epoch; split and labelled."""

from __future__ import annotations

from typing import Any

import torch

from ...errors import ParameterError, ShapeError
from ...types import Array

BYTES = 127.5  # a byte b stands for b / 127.5 - 1


class Points:
    """N points of one shape, perhaps with labels. Bytes are kept as bytes and become [-1, 1] when they are drawn.

    Args:
        name: what pictures call them.
        points: (N, ...), floating point, or uint8 for images.
        labels: (N,), whole numbers from 0 to classes - 1.
        classes: how many; by default the largest label and one.
        held_out: points of the same kind that training does not see.
        device, dtype: where points are kept, and the dtype in which they are drawn.
        features: the name of the features that metrics look at by default.
    """

    def __init__(
        self,
        name: str,
        points: Array,
        labels: Array = None,
        classes: int | None = None,
        held_out: Points | None = None,
        device: Any = "cpu",
        dtype: torch.dtype = torch.float32,
        features: str = "coordinates",
    ) -> None:
        kept = torch.as_tensor(points)
        self.name, self.dtype, self._held_out, self.features = name, dtype, held_out, features
        self._kept = kept.to(device, torch.uint8 if kept.dtype == torch.uint8 else dtype)
        if self._kept.ndim < 2 or not len(self._kept):
            raise ShapeError(f"points of shape {tuple(self._kept.shape)}", "(N, ...) with N >= 1", "one row a point")
        self.labels = None if labels is None else torch.as_tensor(labels).to(device, torch.long)
        self.classes = classes
        if self.labels is not None:
            self._check_labels(self.labels)
            self.classes = int(self.labels.max()) + 1 if classes is None else classes
        self.shape = tuple(self._kept.shape[1:])

    def _check_labels(self, labels: torch.Tensor) -> None:
        most = int(labels.max()) if labels.numel() else 0
        if labels.shape != (len(self),) or int(labels.min()) < 0 or most >= (self.classes or most + 1):
            given = f"labels of shape {tuple(labels.shape)} up to {most} for {len(self)} points"
            raise ShapeError(given, f"({len(self)},), from 0 to classes - 1", "one label for each point")

    def __len__(self) -> int:
        return len(self._kept)

    def at(self, index: Any) -> torch.Tensor:
        """The points of an index, (n, ...), scaled, in the data's dtype."""
        chosen = self._kept[index]
        return chosen.to(self.dtype).div_(BYTES).sub_(1) if chosen.dtype == torch.uint8 else chosen

    @property
    def points(self) -> torch.Tensor:
        """All N points, (N, ...), scaled."""
        return self.at(slice(None))

    @property
    def held_out(self) -> Points:
        """The held-out points, which no training sees.

        Raises:
            ParameterError: where there are none; `split` makes some.
        """
        if self._held_out is None:
            raise ParameterError(
                f"the held-out part of {self.name}, which has none", "data with a held-out part", "data.split(0.2)"
            )
        return self._held_out

    def to(self, device: object = None, dtype: torch.dtype | None = None) -> Points:
        """A copy of these points on another device, or in another floating-point type."""
        device, dtype = device or self._kept.device, dtype or self.dtype
        held_out = None if self._held_out is None else self._held_out.to(device, dtype)
        return Points(self.name, self._kept, self.labels, self.classes, held_out, device, dtype, self.features)

    def split(self, fraction: float, seed: int = 0) -> Points:
        """A seeded share of the points, of every class alike, becomes the held-out part of the rest.

        Raises:
            ParameterError: for a share that leaves one side empty.
        """
        if not 0 < fraction < 1:
            raise ParameterError(f"split({fraction})", "a share between 0 and 1", "split(0.2)")
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed)).to(self._kept.device)
        kinds = [order] if self.labels is None else [order[self.labels[order] == k] for k in range(self.classes or 1)]
        counts = [round(fraction * len(kind)) for kind in kinds]
        apart = torch.cat([kind[:n] for kind, n in zip(kinds, counts, strict=True)]).sort().values
        rest = torch.cat([kind[n:] for kind, n in zip(kinds, counts, strict=True)]).sort().values
        if not len(apart) or not len(rest):
            raise ParameterError(f"split({fraction}) of {len(self)} points", "points on both sides", "split(0.5)")
        return self._part(rest, self.name, self._part(apart, f"held-out {self.name}"))

    def only(self, *kinds: int) -> Points:
        """The points with the given labels, held out ones too; the labels stay as they are."""
        if self.labels is None:
            raise ParameterError(f"{self.name} by label", "data with labels", "Points(name, points, labels)")
        wanted = torch.isin(self.labels, torch.tensor(kinds, device=self.labels.device)).nonzero()[:, 0]
        apart = None if self._held_out is None else self._held_out.only(*kinds)
        return self._part(wanted, f"{self.name} of {', '.join(map(str, kinds))}", apart)

    def few_labelled(self, each: int, seed: int = 0) -> Points:
        """The same points, of which a seeded choice of `each` of every class keep their label; the others' is K.

        The held-out part keeps its own.

        Raises:
            ParameterError: for points without labels, and a class of fewer.
        """
        if self.labels is None or self.classes is None or not 1 <= each <= int(torch.bincount(self.labels).min()):
            raise ParameterError(f"{each} labels of each class of {self!r}", "data with as many", "few_labelled(10)")
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed)).to(self._kept.device)
        kept = torch.cat([order[self.labels[order] == k][:each] for k in range(self.classes)])
        labels = torch.full_like(self.labels, self.classes)
        labels[kept] = self.labels[kept]
        where = (self._kept.device, self.dtype, self.features)
        name = f"{self.name}, {each} labels of each class"
        return Points(name, self._kept, labels, self.classes + 1, self._held_out, *where)

    def _part(self, index: torch.Tensor, name: str, held_out: Points | None = None) -> Points:
        labels = None if self.labels is None else self.labels[index]
        where = (self._kept.device, self.dtype, self.features)
        return Points(name, self._kept[index], labels, self.classes, held_out, *where)

    def sample(self, n: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """n points drawn with replacement, (n, ...). The generator must live on the device of the points."""
        return self.at(self._choose(n, generator))

    def sample_labelled(self, n: int, generator: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """n points drawn with replacement, and their labels (n,)."""
        if self.labels is None:
            raise ParameterError(
                f"labels of {self.name}, which has none", "labelled data", "Points(name, points, labels)"
            )
        index = self._choose(n, generator)
        return self.at(index), self.labels[index]

    def _choose(self, n: int, generator: torch.Generator | None) -> torch.Tensor:
        return torch.randint(len(self), (n,), generator=generator, device=self._kept.device)

    def shuffled(self, seed: int = 0) -> Shuffled:
        """These points, drawn without replacement: each epoch goes through all of them once in a fresh order."""
        return Shuffled(self, seed)

    def __repr__(self) -> str:
        kinds = f", {self.classes} classes" if self.labels is not None else ""
        return f"<{self.name}: {len(self)} points of shape {self.shape}{kinds}>"


class Shuffled(Points):
    """Points in a seeded order: every epoch is a fresh permutation of all of them, and a batch may span two epochs.

    The k-th point drawn is a function of the seed and of k alone, so `position`, how many have been drawn, is all the
    state there is: an interrupted run that restores it goes on with the same points.

    Args:
        data: the points. seed: of the order. position: how many have been drawn.
    """

    def __init__(self, data: Points, seed: int = 0, position: int = 0) -> None:
        parts = (data.name, data._kept, data.labels, data.classes, data._held_out)
        super().__init__(*parts, data._kept.device, data.dtype, data.features)
        self.seed, self.position = seed, position
        self._epoch: tuple[int, torch.Tensor] | None = None

    @property
    def epoch(self) -> int:
        """How many whole passes over the data have been made."""
        return self.position // len(self)

    def state_dict(self) -> dict[str, int]:
        """The seed and the position, from which `load_state_dict` goes on in the same order."""
        return {"seed": self.seed, "position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from a `state_dict`."""
        self.seed, self.position, self._epoch = int(state["seed"]), int(state["position"]), None

    def to(self, device: object = None, dtype: torch.dtype | None = None) -> Shuffled:
        """A copy on another device; permutations are made on the CPU, so every device sees the same order."""
        return Shuffled(super().to(device, dtype), self.seed, self.position)

    def _choose(self, n: int, generator: torch.Generator | None) -> torch.Tensor:
        pieces = []
        while n:
            epoch, start = divmod(self.position, len(self))
            piece = self._order(epoch)[start : start + n]
            pieces.append(piece)
            self.position += len(piece)
            n -= len(piece)
        return torch.cat(pieces) if pieces else torch.zeros(0, dtype=torch.long, device=self._kept.device)

    def _order(self, epoch: int) -> torch.Tensor:
        """The permutation of one epoch; the last one asked for is kept."""
        if self._epoch is None or self._epoch[0] != epoch:
            source = torch.Generator().manual_seed((self.seed * 0x9E3779B97F4A7C15 + epoch) % 2**63)
            self._epoch = (epoch, torch.randperm(len(self), generator=source).to(self._kept.device))
        return self._epoch[1]
