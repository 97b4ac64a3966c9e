"""Seeds of torch's random streams: one drawn for each batch, set where layers draw, and taken back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..lazy import torch


def fresh_seed(rng: Any) -> int:
    """A seed below 2^62 from a NumPy generator: the number that `rng.integers(2**62)` gives.

    That is its next word without the last two bits, and NumPy's default generator gives words themselves at a tenth of
    the price, which in a step of small networks is seen.
    """
    words = rng.bit_generator if isinstance(rng, np.random.Generator) else None
    return int(words.random_raw()) >> 2 if isinstance(words, np.random.PCG64) else int(rng.integers(2**62))


@contextlib.contextmanager
def cpu_stream_kept() -> Iterator[None]:
    """As `torch.random.fork_rng([])`, which looks at devices first."""
    stream = torch.default_generator
    before = stream.get_state()
    try:
        yield
    finally:
        stream.set_state(before)


def seed_streams(seed: int, device: torch.device) -> None:
    """Seed torch's own streams on the CPU and on the device of the networks, and no other device's.

    `torch.manual_seed` does more: on a build with devices that are not in use it notes the whole call stack for each
    of them, every time, which takes longer than a small network.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.init()  # type: ignore[no-untyped-call]
        torch.cuda.default_generators[device.index or torch.cuda.current_device()].manual_seed(seed)
