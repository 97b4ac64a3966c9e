"""Trains the classifier behind the features "digits64" and writes its weights and their record beside this file.

`python -m gandyn.gans.features.digits64.train` does it again, in about a minute and a half of one core. One
machine with one set of versions gives the same bytes every time; another gives another network of about the same
accuracy, whose scores are not comparable.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
import time
from typing import Any

import torch

from ...datasets import resolve
from . import RECORD, WEIGHTS, DigitsNetwork

SEED, EPOCHS, BATCH, RATE, DECAY, DROPOUT = 0, 40, 100, 3e-3, 0.02, 0.25
ANGLE, ZOOM, SHIFT = 10.0, 0.12, 2.0


def main() -> None:
    """Train, measure on the held-out digits, write."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    data = resolve("digits")
    start = time.process_time()
    network = train(DigitsNetwork(), data)
    scale = standardise(network, data.points)
    seconds = time.process_time() - start
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    content = _packed(tensors)
    record = {
        "features": "digits64",
        "held_out_accuracy": accuracy(network, data.held_out),
        "training_accuracy": accuracy(network, data),
        "held_out_points": len(data.held_out),
        "training_points": len(data),
        "scale": scale,
        "parameters": sum(tensor.numel() for tensor in tensors.values()),
        "sha256": hashlib.sha256(content).hexdigest(),
        "settings": {"seed": SEED, "epochs": EPOCHS, "batch": BATCH, "rate": RATE, "decay": DECAY, "dropout": DROPOUT},
        "augmentation": {"degrees": ANGLE, "zoom": ZOOM, "shift_pixels": SHIFT},
        "cpu_seconds": round(seconds, 1),
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
    }
    WEIGHTS.write_bytes(content)
    RECORD.write_text(json.dumps(record, indent=2) + "\n")
    print(json.dumps(record, indent=2))


def train(network: DigitsNetwork, data: Any, epochs: int = EPOCHS) -> DigitsNetwork:
    """Cross-entropy by AdamW with a cosine rate, on randomly turned, zoomed and shifted digits."""
    source = torch.Generator().manual_seed(SEED)
    order = data.shuffled(SEED)
    steps = epochs * len(data) // BATCH
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    dropout = torch.nn.Dropout(DROPOUT)
    network.train()
    for _ in range(steps):
        images, labels = order.sample_labelled(BATCH)
        hidden = dropout(network.features(moved(images, source)).relu())
        loss = torch.nn.functional.cross_entropy(network.logits(hidden), labels)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
    return network.eval()


@torch.no_grad()
def standardise(network: DigitsNetwork, images: torch.Tensor) -> float:
    """Divide the features by one number, so that their variances are 1 on average; the classifier stays the same.

    A ReLU follows, and max(0, x / c) = max(0, x) / c for c > 0, so the next layer's weights times c undo it.
    """
    scale = float(network.features(images).var(0).mean().sqrt())
    last: torch.nn.Linear = network.features[-1]  # type: ignore[assignment]
    last.weight.div_(scale)
    last.bias.div_(scale)
    network.logits.weight.mul_(scale)
    return scale


def moved(images: torch.Tensor, source: torch.Generator) -> torch.Tensor:
    """Every image turned, zoomed and shifted by its own random amount; black comes in at the border."""
    n, side = len(images), images.shape[-1]
    angle, zoom, right, down = (2 * torch.rand(4, n, generator=source) - 1).unbind()
    angle, scale = angle * math.radians(ANGLE), 1 + zoom * ZOOM
    right, down = right * 2 * SHIFT / side, down * 2 * SHIFT / side
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    maps = torch.stack([torch.stack([cosine, -sine, right], 1), torch.stack([sine, cosine, down], 1)], 1)
    grid = torch.nn.functional.affine_grid(maps, list(images.shape), align_corners=False)
    return torch.nn.functional.grid_sample(images + 1, grid, align_corners=False) - 1


def accuracy(network: DigitsNetwork, data: Any) -> float:
    """Share of the points whose likeliest class is their label."""
    with torch.no_grad():
        return float((network(data.points).argmax(1) == data.labels).double().mean())


def _packed(tensors: dict[str, torch.Tensor]) -> bytes:
    from safetensors.torch import save

    content: bytes = save(tensors)
    return content


if __name__ == "__main__":
    main()
