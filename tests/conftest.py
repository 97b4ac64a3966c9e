"""Settings of the whole suite: one thread a worker, no screen, and Hypothesis the same on every run of CI."""

from __future__ import annotations

import os
import sys

# Before NumPy or torch start their thread pools: pytest-xdist already runs one worker on each core.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", MPLBACKEND="Agg")

import hypothesis
import pytest

hypothesis.settings.register_profile("dev", deadline=None, max_examples=40)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=40, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(autouse=True)
def _one_torch_thread():
    """Whoever imported torch runs it on one thread; nobody imports it for this."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        torch.set_num_threads(1)
