"""Settings of the whole suite: one thread a worker, no screen, and Hypothesis the same on every run of CI."""

from __future__ import annotations

import os
import sys

# Before NumPy or torch start their thread pools: pytest-xdist already runs one worker on each core.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", MPLBACKEND="Agg")

import hypothesis
import pytest
from hypothesis.internal.conjecture import providers

# Hypothesis would read the constants of all loaded modules of ours into its draws: seconds for each process, and
# examples that depend on what else is loaded.
providers.is_local_module_file = lambda path: False

collect_ignore = ["public_scripts"]  # they read the command line when they are imported

hypothesis.settings.register_profile("dev", deadline=None, max_examples=40)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=40, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


# Of the slow series in these files every n-th test runs; the others, alike but for their numbers, with `--thorough`.
ONE_IN = {
    "test_analysed.py": 8,
    "test_bifurcation_complete.py": 2,
    "test_certified_memory.py": 3,
    "test_fixed_points_random.py": 5,
    "test_kills.py": 13,
    "test_metamorphic.py": 4,
    "test_network_zoo.py": 3,
    "test_planar_cycles.py": 4,
    "test_plots_fit.py": 5,
    "test_rate_bands.py": 6,
    "test_thresholds.py": 2,
}


def pytest_addoption(parser):
    parser.addoption("--thorough", action="store_true", help="with -m slow: long series in full, which takes hours")


def pytest_collection_modifyitems(config, items):
    """Leave out all but every n-th slow test of the long files."""
    if config.getoption("--thorough"):
        return
    seen, kept, left = {}, [], []
    for item in items:
        series = item.get_closest_marker("slow") and hasattr(item, "callspec")
        n = ONE_IN.get(item.path.name, 1) if series else 1
        k = seen[item.path.name] = seen.get(item.path.name, -1) + (n > 1)
        (left if n > 1 and k % n else kept).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


@pytest.fixture(autouse=True)
def _one_torch_thread():
    """Whoever imported torch runs it on one thread; nobody imports it for this."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        torch.set_num_threads(1)
