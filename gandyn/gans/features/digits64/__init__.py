"""A small classifier of our own for handwritten digits, whose last 64 hidden numbers are features."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ....errors import GandynError, ShapeError
from ...registries import features as registry
from ..feature_map import AT_ONCE, Features

WEIGHTS = Path(__file__).with_name("weights.safetensors")
RECORD = WEIGHTS.with_suffix(".json")
SIDE, CLASSES, SIZE = 28, 10, 64


class DigitsNetwork(nn.Module):
    """Three convolutions and a linear layer to 64 features; a ReLU and a linear layer to ten logits.

    The features are scaled so that their variances on the training digits are 1 on average.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 48, 3, padding=1, stride=2), nn.ReLU(),
            nn.Flatten(), nn.Linear(48 * 4 * 4, SIZE),
        )  # fmt: skip
        self.logits = nn.Linear(SIZE, CLASSES)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(n, 1, 28, 28) in [-1, 1] -> logits (n, 10)."""
        answer: torch.Tensor = self.logits(self.features(images).relu())
        return answer


class DigitsFeatures(Features):
    """The features with the classifier behind them.

    Attributes:
        accuracy: on the 1 000 digits held out by `datasets.digits()`.
        record: how the weights were made: seed, versions, SHA-256.
    """

    def __init__(self, network: DigitsNetwork, record: dict[str, Any]) -> None:
        super().__init__("digits64", network, SIZE)
        self.record, self.accuracy = record, float(record["held_out_accuracy"])

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """(n, 64), float64, of digits (n, 1, 28, 28), or (n, 1, 32, 32) padded ones, whose frame is cut off.

        Raises:
            ShapeError: for other images.
        """
        return self._run(self.network.features, points)

    def probabilities(self, points: torch.Tensor) -> torch.Tensor:
        """Class probabilities, (n, 10), float64."""
        return self._run(self.network, points).softmax(1)

    def differentiable(self, points: torch.Tensor) -> torch.Tensor:
        """The features as `__call__` answers them, with a graph."""
        answer: torch.Tensor = self.network.features(_cut(points))
        return answer

    def _run(self, part: nn.Module, points: torch.Tensor) -> torch.Tensor:
        images = _cut(points.detach().float())
        part.to(images.device)
        with torch.no_grad():
            return torch.cat([part(piece).double() for piece in torch.split(images, AT_ONCE)])


def _cut(points: torch.Tensor) -> torch.Tensor:
    """Digits without the frame of padded ones, (n, 1, 28, 28). Raises ShapeError for other images."""
    if points.ndim != 4 or points.shape[1] != 1 or points.shape[-1] not in (SIDE, SIDE + 4):
        raise ShapeError(f"points of shape {tuple(points.shape)} for digits64", "(n, 1, 28, 28)", "digits(size=28)")
    cut = (points.shape[-1] - SIDE) // 2
    return points[..., cut : cut + SIDE, cut : cut + SIDE]


@registry.register("digits64")
def digits64() -> DigitsFeatures:
    """Our own classifier of 28 x 28 digits, trained by `python -m gandyn.gans.features.digits64.train`.

    Raises:
        GandynError: if the weights are not those of the record, by their SHA-256.
    """
    from safetensors.torch import load

    content, record = WEIGHTS.read_bytes(), json.loads(RECORD.read_text())
    found = hashlib.sha256(content).hexdigest()
    if found != record["sha256"]:
        raise GandynError(f"{WEIGHTS.name} has the hash {found[:12]}", record["sha256"], "install the package again")
    network = DigitsNetwork()
    network.load_state_dict(load(content))
    return DigitsFeatures(network.eval().requires_grad_(False), record)
