"""The Inception network that papers compute FID, KID and the Inception score with, from a file of weights of yours.

It is the network of 2015 as TensorFlow runs it, in the form that torch-fidelity and pytorch-fid save: 1 008 outputs,
average pools that do not count their padding, a maximum in the last block, and the resizing of TensorFlow 1.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from ...doors import door
from ...errors import ParameterError, ShapeError
from ..registries import features as registry
from .feature_map import Features

SIDE, AT_ONCE = 299, 32
LAYERS = {"64": 64, "192": 192, "768": 768, "2048": 2048}
Convolution = tuple[str, int, Any, int]  # name, outputs, kernel, stride


class Normalised(nn.Module):
    """A convolution without bias, batch normalisation with eps = 0.001, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: Any, stride: int = 1, padding: Any = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Convolution, batch normalisation and ReLU."""
        return functional.relu(self.bn(self.conv(x)))


class Mixed(nn.Module):
    """Paths of convolutions beside each other and a pool, their outputs side by side as channels.

    Each path is a sequence of convolutions, (name, outputs, kernel, stride); a list in the last place stands for
    several that see the same. Those of stride 1 keep the size of the picture. The pool, "average" or "maximum", is 3 x
    3, kept in size, then a convolution to `pooled` channels; without `pooled` a maximum of stride 2.
    """

    def __init__(self, inputs: int, paths: Sequence[Any], pool: str = "maximum", pooled: int = 0) -> None:
        super().__init__()
        self.paths, self.pool, self.pooled = [], pool, pooled
        for path in paths:
            channels, names = inputs, []
            for step in path:
                ends = step if isinstance(step, list) else [step]
                for name, outputs, kernel, stride in ends:
                    sides = (kernel, kernel) if isinstance(kernel, int) else kernel
                    padding = tuple(k // 2 for k in sides) if stride == 1 else 0
                    setattr(self, name, Normalised(channels, outputs, kernel, stride, padding))
                channels = sum(end[1] for end in ends)
                names.append([end[0] for end in ends])
            self.paths.append(names)
        if pooled:
            self.branch_pool = Normalised(inputs, pooled, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The outputs of all paths and of the pool, side by side as channels."""
        found = []
        for path in self.paths:
            y = x
            for names in path:
                y = torch.cat([getattr(self, name)(y) for name in names], 1)
            found.append(y)
        if not self.pooled:
            return torch.cat([*found, functional.max_pool2d(x, 3, 2)], 1)
        pooled = (
            functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
            if self.pool == "average"
            else functional.max_pool2d(x, 3, 1, 1)
        )
        return torch.cat([*found, self.branch_pool(pooled)], 1)


def _a(inputs: int, pooled: int) -> Mixed:
    double = [("branch3x3dbl_1", 64, 1, 1), ("branch3x3dbl_2", 96, 3, 1), ("branch3x3dbl_3", 96, 3, 1)]
    paths = [[("branch1x1", 64, 1, 1)], [("branch5x5_1", 48, 1, 1), ("branch5x5_2", 64, 5, 1)], double]
    return Mixed(inputs, paths, "average", pooled)


def _b(inputs: int) -> Mixed:
    double = [("branch3x3dbl_1", 64, 1, 1), ("branch3x3dbl_2", 96, 3, 1), ("branch3x3dbl_3", 96, 3, 2)]
    return Mixed(inputs, [[("branch3x3", 384, 3, 2)], double])


def _c(inputs: int, c: int) -> Mixed:
    row, column = (1, 7), (7, 1)
    single = [("branch7x7_1", c, 1, 1), ("branch7x7_2", c, row, 1), ("branch7x7_3", 192, column, 1)]
    double = [("branch7x7dbl_1", c, 1, 1), ("branch7x7dbl_2", c, column, 1), ("branch7x7dbl_3", c, row, 1),
              ("branch7x7dbl_4", c, column, 1), ("branch7x7dbl_5", 192, row, 1)]  # fmt: skip
    return Mixed(inputs, [[("branch1x1", 192, 1, 1)], single, double], "average", 192)


def _d(inputs: int) -> Mixed:
    long = [("branch7x7x3_1", 192, 1, 1), ("branch7x7x3_2", 192, (1, 7), 1), ("branch7x7x3_3", 192, (7, 1), 1),
            ("branch7x7x3_4", 192, 3, 2)]  # fmt: skip
    return Mixed(inputs, [[("branch3x3_1", 192, 1, 1), ("branch3x3_2", 320, 3, 2)], long])


def _e(inputs: int, pool: str) -> Mixed:
    def forked(name: str) -> list[Convolution]:
        return [(f"{name}a", 384, (1, 3), 1), (f"{name}b", 384, (3, 1), 1)]

    single = [("branch3x3_1", 384, 1, 1), forked("branch3x3_2")]
    double = [("branch3x3dbl_1", 448, 1, 1), ("branch3x3dbl_2", 384, 3, 1), forked("branch3x3dbl_3")]
    return Mixed(inputs, [[("branch1x1", 320, 1, 1)], single, double], pool, 192)


class InceptionV3(nn.Module):
    """Bytes (n, 3, h, w) as numbers from 0 to 255 to the features of one layer."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Normalised(3, 32, 3, 2)
        self.Conv2d_2a_3x3 = Normalised(32, 32, 3)
        self.Conv2d_2b_3x3 = Normalised(32, 64, 3, 1, 1)
        self.Conv2d_3b_1x1 = Normalised(64, 80, 1)
        self.Conv2d_4a_3x3 = Normalised(80, 192, 3)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = _a(192, 32), _a(256, 64), _a(288, 64)
        self.Mixed_6a = _b(288)
        self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e = (_c(768, c) for c in (128, 160, 160, 192))
        self.Mixed_7a = _d(768)
        self.Mixed_7b, self.Mixed_7c = _e(1280, "average"), _e(2048, "maximum")
        self.fc = nn.Linear(2048, 1008)

    def forward(self, images: torch.Tensor, layer: str = "2048") -> torch.Tensor:
        """Means over the picture of a layer's activations, (n, layer)."""
        stages: dict[str, list[nn.Module]] = {
            "64": [self.Conv2d_1a_3x3, self.Conv2d_2a_3x3, self.Conv2d_2b_3x3, nn.MaxPool2d(3, 2)],
            "192": [self.Conv2d_3b_1x1, self.Conv2d_4a_3x3, nn.MaxPool2d(3, 2)],
            "768": [self.Mixed_5b, self.Mixed_5c, self.Mixed_5d, self.Mixed_6a, self.Mixed_6b, self.Mixed_6c,
                    self.Mixed_6d, self.Mixed_6e],
            "2048": [self.Mixed_7a, self.Mixed_7b, self.Mixed_7c],
        }  # fmt: skip
        x = (resized(images, SIDE) - 128) / 128
        for name, modules in stages.items():
            for module in modules:
                x = module(x)
            if name == layer:
                break
        return x.mean((2, 3))


def resized(images: torch.Tensor, side: int) -> torch.Tensor:
    """Bilinear interpolation as TensorFlow 1 does it: output pixel i reads at i * (input size / side), no half pixels.

    `images`: (n, c, h, w); `side`: of the square answer.
    """
    for axis in (3, 2):
        size = images.shape[axis]
        at = torch.arange(side, dtype=images.dtype, device=images.device)
        at = at * torch.tensor(size / side, dtype=images.dtype, device=images.device)
        low = at.long()
        part = (at - low).reshape((side, 1) if axis == 2 else (side,))
        first, second = (images.index_select(axis, k) for k in (low, (low + 1).clamp_max(size - 1)))
        images = first + (second - first) * part
    return images


class InceptionFeatures(Features):
    """Features and class probabilities of pictures scaled to [-1, 1], which become bytes first."""

    def __init__(self, network: InceptionV3, layer: str) -> None:
        super().__init__(f"inception{layer}", network, LAYERS[layer])
        self.layer = layer

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """Features, (n, size), float64."""
        return self._of(points, self.layer).double()

    def differentiable(self, points: torch.Tensor) -> torch.Tensor:
        """The features with a graph, of pictures that are not rounded to bytes, (n, size)."""
        scaled = (_checked(points) + 1) * 127.5
        answer: torch.Tensor = self.network(scaled.expand(-1, 3, -1, -1), self.layer)
        return answer

    def logits(self, points: torch.Tensor) -> torch.Tensor:
        """Of the 1 008 outputs, without their biases, as the Inception score has always been computed: (n, 1008)."""
        logits: torch.Tensor = self._of(points, "2048") @ self.network.fc.weight.T
        return logits

    def probabilities(self, points: torch.Tensor) -> torch.Tensor:
        """The softmax of the logits, (n, 1008), float64."""
        return self.logits(points).double().softmax(1)

    def _of(self, points: torch.Tensor, layer: str) -> torch.Tensor:
        weight = self.network.fc.weight
        with torch.no_grad():
            parts = torch.split(_checked(points).detach(), AT_ONCE)
            return torch.cat([self.network(as_bytes(part).to(weight), layer) for part in parts])


def _checked(points: torch.Tensor) -> torch.Tensor:
    if points.ndim != 4 or points.shape[1] not in (1, 3):
        raise ShapeError(f"points of shape {tuple(points.shape)}", "pictures (n, 1 or 3, h, w)", "look at points")
    return points


def as_bytes(points: torch.Tensor) -> torch.Tensor:
    """Pictures scaled to [-1, 1] as bytes (n, 3, h, w), rounded; gray ones three times."""
    scaled = ((points.detach().double() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return scaled.expand(-1, 3, -1, -1)


@registry.register("inception", examples=())
@door
def inception(weights: str, layer: str = "2048", double: bool = False) -> InceptionFeatures:
    """Inception's features from your own file of weights, in the format of torch-fidelity and pytorch-fid.

    Nothing is downloaded. The file is read without running code in it. Both projects publish it as
    `...inception-2015-12-05-6726825d.pth`.

    Args:
        weights: the file, .pth or .safetensors. layer: "64", "192", "768" or "2048", which FID and KID use.
        double: compute in double precision.

    Raises:
        ParameterError: for a file that cannot be read, or holds other weights.
    """
    if layer not in LAYERS:
        raise ParameterError(f"layer={layer!r}", f"one of {', '.join(LAYERS)}", 'layer="2048"')
    held = _read(Path(weights))
    network = InceptionV3()
    entries = network.state_dict()
    needed = {name for name in entries if not name.endswith("num_batches_tracked")}
    wrong = [n for n in sorted(needed) if n not in held or held[n].shape != entries[n].shape]
    if wrong:
        given = f"{Path(weights).name} without {wrong[0]} of shape {tuple(entries[wrong[0]].shape)}"
        more = f" and {len(wrong) - 1} other tensors" if len(wrong) > 1 else ""
        raise ParameterError(
            given + more, "the weights of FID's Inception", "the file of torch-fidelity or pytorch-fid"
        )
    network.load_state_dict({name: held[name] for name in needed}, strict=False)
    network = network.eval().requires_grad_(False)
    return InceptionFeatures(network.double() if double else network, layer)


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        held = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).split("\n")[0][:100]
        raise ParameterError(f"{path} cannot be read ({reason})", "a file of weights", "check the path") from error
    if not isinstance(held, dict) or not all(isinstance(v, torch.Tensor) for v in held.values()):
        raise ParameterError(
            f"{path.name}, which is no dict of tensors", "a state_dict", "torch.save(net.state_dict())"
        )
    return held
