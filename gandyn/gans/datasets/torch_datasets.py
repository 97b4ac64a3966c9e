"""PyTorch's own data sets and loaders as data of a GAN: items are drawn by the run's random numbers."""

from __future__ import annotations

from typing import Any

import torch

from ...errors import ParameterError, ShapeError
from ...types import Array
from ..given import refuse_not_finite


class DatasetPoints:
    """A map-style `torch.utils.data.Dataset` whose items are points, or (point, label, ...): drawn with replacement.

    A random transform of the data set sees random numbers that the batch's seed and the place in the batch fix, so that
    runs repeat and resume, and a process that reads its part of a batch reads what one process would.
    Pictures of bytes become [-1, 1]; other numbers are taken as they are.

    Args:
        dataset: with `len` and items. name: what pictures call it.
        collate: makes one batch of items; torch's own by default.
        device, dtype: of the points drawn.

    Attributes:
        rows: which places of a batch are read. The others are drawn, and left out.

    Raises:
        ParameterError: for items that are no tensors. ShapeError: for none at all, or points without an axis.
    """

    features = "coordinates"

    def __init__(
        self,
        dataset: Any,
        name: str | None = None,
        collate: Any = None,
        device: Any = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        from torch.utils.data import default_collate

        self.dataset, self.collate = dataset, collate or default_collate
        self.name = name or type(dataset).__name__
        self.device, self.dtype = torch.device(device), dtype
        if not len(dataset):
            raise ShapeError(f"the data set {self.name} without items", "one or more", "check where they come from")
        self.count, self.rows = len(dataset), slice(None)
        ends = torch.tensor([0, self.count // 2, self.count - 1], device="cpu")
        self.seen = self._batch(ends, 0)[0]  # by which a run that goes on recognises its data
        self.shape = tuple(self.seen.shape[1:])

    def __len__(self) -> int:
        return len(self.dataset)

    def to(self, device: object = None, dtype: torch.dtype | None = None) -> DatasetPoints:
        """The same data, drawn onto another device or in another floating-point type."""
        return DatasetPoints(self.dataset, self.name, self.collate, device or self.device, dtype or self.dtype)

    def sample(self, n: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """n points drawn with replacement, (n, ...)."""
        return self._drawn(n, generator)[0]

    def sample_labelled(self, n: int, generator: torch.Generator | None = None) -> tuple[Array, Array]:
        """n points drawn with replacement, and their labels (n,). Raises ParameterError where items have none."""
        points, labels = self._drawn(n, generator)
        if labels is None:
            raise ParameterError(f"labels of {self.name}, which has none", "items (point, class number)", "add them")
        return points, labels

    def _drawn(self, n: int, generator: torch.Generator | None) -> tuple[torch.Tensor, Any]:
        source = generator or torch.default_generator
        made: dict[str, Any] = {"generator": source, "device": source.device}
        index = torch.randint(len(self), (n,), **made)
        return self._batch(index.cpu(), int(torch.randint(2**62, (1,), **made)))

    def _batch(self, index: torch.Tensor, seed: int) -> tuple[torch.Tensor, Any]:
        items = []
        with torch.random.fork_rng([]):
            for place, k in list(enumerate(index.tolist()))[self.rows]:
                torch.default_generator.manual_seed((seed + place) % 2**63)
                items.append(self.dataset[k])
        try:
            batch = self.collate(items)
        except (TypeError, RuntimeError) as error:
            reason = str(error).split("\n")[0][:120]
            given = f"items of {self.name} that make no batch ({reason})"
            raise ParameterError(given, "tensors of one shape", "a transform to tensors of one size") from error
        points, *rest = batch if isinstance(batch, (list, tuple)) else (batch,)
        if not isinstance(points, torch.Tensor) or points.ndim < 2:
            shape = f" of shape {tuple(points.shape)}" if isinstance(points, torch.Tensor) else ""
            given = f"a batch of {self.name}, a {type(points).__name__}{shape}"
            raise ParameterError(given, "a tensor (n, ...) or (tensor, labels)", "tensors of one axis or more as items")
        refuse_not_finite(points, f"a batch of {self.name}")
        scaled = points.to(self.device, self.dtype, copy=True)
        scaled = scaled.div_(127.5).sub_(1) if points.dtype == torch.uint8 else scaled
        labels = rest[0] if rest and isinstance(rest[0], torch.Tensor) else None
        if labels is not None and (labels.ndim != 1 or labels.is_floating_point()):
            given = f"labels of {self.name} of shape {tuple(labels.shape)} and {labels.dtype}"
            raise ParameterError(given, "whole numbers (n,)", "items (point, class number)")
        return scaled, None if labels is None else labels.to(self.device, torch.long)

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self)} points of shape {self.shape}>"


def of_torch(data: object) -> Any:
    """Data sets and loaders of PyTorch as data of a GAN; anything else is passed through.

    Of a loader its data set and its way of making batches are used; the game draws batches of its own size, with
    replacement. Raises ParameterError for data sets that can only be gone through in order, and loaders with a sampler
    of their own.
    """
    from torch.utils.data import DataLoader, Dataset, IterableDataset, RandomSampler, SequentialSampler

    dataset = data.dataset if isinstance(data, DataLoader) else data
    if isinstance(dataset, IterableDataset):
        raise ParameterError(
            f"{type(dataset).__name__}, whose items come in an order of its own",
            "a data set with len and items, or a function (n, torch generator) -> points",
            "data=lambda n, generator: next(batches)",
        )
    if not isinstance(dataset, Dataset):
        return data
    if not isinstance(data, DataLoader):
        return DatasetPoints(data)
    if not isinstance(data.sampler, (RandomSampler, SequentialSampler)):
        raise ParameterError(
            f"a loader with {type(data.sampler).__name__}, which the game's own draws would not follow",
            "a loader that shuffles, or a data set",
            "data=loader.dataset, or a function (n, torch generator) -> points",
        )
    return DatasetPoints(dataset, collate=data.collate_fn)
