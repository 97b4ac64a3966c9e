"""`gandyn doctor`: what is installed, and what is fast on this machine and why not."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import sys
from typing import Annotated

import typer

from ..lazy import torch

NEEDED = ("numpy", "scipy", "sympy", "matplotlib", "python-flint")
OPTIONAL = {
    "torch": "networks",
    "numba": "the numba backend of kernels",
    "pepit": "gd.worst_case",
    "cvxpy": "gd.worst_case",
    "scikit-learn": "some data sets",
    "tensorboard": "logs for TensorBoard",
}


def doctor(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Say what is fast here, and why not.

    Versions, the C compiler and the cache of compiled maps, the device, and node; each line that is not as it could be
    says what to do. The status is 0 even then: everything works without a compiler or a device, more slowly.
    """
    rows = [*_versions(), *_compiler(), *_device(), *_others()]
    if as_json:
        typer.echo(json.dumps([dict(zip(("what", "found", "advice"), row, strict=True)) for row in rows], indent=2))
        return
    for what, found, advice in rows:
        typer.echo(f"{what:<14}{found}")
        if advice:
            typer.echo(f"{'':<14}-> {advice}")


Row = tuple[str, str, str]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _versions() -> list[Row]:
    from .. import __version__

    found = {name: _version(name) for name in NEEDED}
    here = ", ".join(f"{name} {version}" for name, version in found.items() if version)
    lost = [name for name, version in found.items() if version is None]
    advice = f"missing: {', '.join(lost)}; install gandyn again with -c constraints.txt" if lost else ""
    python = f"{platform.python_version()} at {sys.executable}"
    return [("gandyn", __version__, ""), ("python", python, ""), ("packages", here, advice)]


def _compiler() -> list[Row]:
    from ..dynamics.compile import compiler
    from ..dynamics.kernels import available_threads
    from ..dynamics.library_cache import cache_folder, ours_alone

    command = compiler()
    fast = "iterate and sweep run compiled" if command else "none: NumPy kernels, several times slower on ensembles"
    advice = "" if command else "install a C compiler (gcc or clang), set CC, or pip install ziglang"
    folder = cache_folder()
    kept = sum(1 for path in folder.glob("*") if path.is_file()) if folder.is_dir() else 0
    trusted = not folder.exists() or ours_alone(folder)
    warning = "" if trusted else "it is not yours alone, so it is not used: remove it, or set GANDYN_CACHE"
    return [
        ("compiler", f"{' '.join(command)}: {fast}" if command else fast, advice),
        ("cache", f"{folder}, {kept} files", warning),
        ("threads", f"{available_threads()} of {os.cpu_count()} cores", ""),
    ]


def _device() -> list[Row]:
    if _version("torch") is None:
        return [("device", "no torch: no networks", 'pip install "gandyn[torch]"')]
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name(0)
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        return [("device", f"{name}, {memory:.0f} GiB, CUDA {torch.version.cuda}", "")]
    built = torch.version.cuda
    if built is None:
        advice = "this torch is a CPU build: right without an NVIDIA GPU; with one, install torch's CUDA build"
    else:
        advice = "torch has CUDA but sees no device: check the driver (nvidia-smi)"
    return [("device", "CPU: networks train, more slowly than on a GPU", advice)]


def _others() -> list[Row]:
    rows = [("node", f"{shutil.which('node') or 'none'} (for the explorer's tests alone)", "")]
    absent = [f"{name} ({purpose})" for name, purpose in OPTIONAL.items() if _version(name) is None]
    here = ", ".join(f"{name} {_version(name)}" for name in OPTIONAL if _version(name))
    return [*rows, ("optional", here or "none", f"not installed: {', '.join(absent)}" if absent else "")]
