"""Compile generated C once: find a compiler, keep the result in the user's cache, load it.

A library is filed under a hash of its source, the compiler's version, its flags and the CPU, so a changed map, an
updated compiler or another machine never meets stale code.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ..errors import DomainError, MissingDependencyError
from . import library_cache
from .library_cache import cache_folder

__all__ = ["cache_folder", "compiler", "load"]

COMPILERS = ("gcc", "cc", "clang")
COMMON = ("-shared", "-fPIC", "-std=gnu11", "-w")
# No -ffast-math: an overflow, a NaN and a point that leaves its bound must be seen. What it buys (vectorised
# elementary functions, fused multiply-adds) is asked for by name instead.
FAST = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-fopenmp-simd")
STRICT = ("-O2", "-ffp-contract=off", "-fno-math-errno", "-DGD_STRICT")
LINK_VECTOR = ("-Wl,--no-undefined", "-lmvec", "-lm")
LINK_PLAIN = ("-DGD_NO_LIBMVEC", "-lm")
TIERS = {
    False: ((*FAST, *LINK_VECTOR), (*FAST, *LINK_PLAIN), ("-O2", *LINK_PLAIN)),
    True: ((*STRICT, *LINK_PLAIN), ("-O2", "-DGD_STRICT", *LINK_PLAIN)),
}


@functools.cache
def compiler() -> tuple[str, ...] | None:
    """The command of the C compiler: $CC, the usual names, or the package ziglang; None where there is none."""
    named = shlex.split(os.environ.get("CC", ""))
    candidates = [*([named] if named else ()), *([name] for name in COMPILERS)]
    if importlib.util.find_spec("ziglang") is not None:  # clang as a Python package, where the system has no compiler
        candidates.append([sys.executable, "-m", "ziglang", "cc"])
    for command in candidates:
        path = shutil.which(command[0])
        if path:
            return (path, *command[1:])
    return None


@functools.cache
def _version(command: tuple[str, ...]) -> str:
    answer = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    return answer.stdout.split("\n")[0]


@functools.cache
def cpu() -> str:
    """What this processor is and can do, as the operating system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    kept = {line.split(":")[0].strip(): line for line in lines if line.startswith(("model name", "flags", "Features"))}
    return "\n".join([platform.machine(), *kept.values()])


@functools.cache
def load(source: str, strict: bool = False) -> ctypes.CDLL:
    """The shared library of a C source, from the cache or freshly compiled.

    `source`: one C file; `strict`: no fused multiply-adds and no vectorised library functions: IEEE arithmetic,
    operation by operation. Raises MissingDependencyError if there is no C compiler; DomainError if the compiler refuses
    the source with every set of flags.
    """
    command = compiler()
    if command is None:
        raise MissingDependencyError(
            "the backend 'c' without a C compiler",
            "gcc, cc or clang on PATH, or $CC",
            'pip install ziglang, or kernel="numpy"',
        )
    errors = ""
    for flags in TIERS[strict]:
        name = _name(source, command, flags)
        for folder in library_cache.folders():
            library = library_cache.load(folder / name)
            if library is not None:
                return library
            try:
                with library_cache.locked(folder / name):
                    library = library_cache.load(folder / name)  # from whoever had the lock before
                    if library is None:
                        library, complaint = _compile(command, flags, source, folder / name)
                        errors = errors or complaint
            except OSError:  # a cache that cannot be written: the next folder
                continue
            break
        if library is not None:
            return library
    raise DomainError(
        f"C code that {command[0]} does not compile: {errors[:400]!r}", "a working compiler", 'kernel="numpy"'
    )


def on_disk(source: str) -> bool:
    """Whether the library of a C source has been compiled here before."""
    command = compiler()
    if command is None:
        return False
    folder = next(library_cache.folders())
    return any((folder / _name(source, command, flags)).exists() for flags in TIERS[False])


def _name(source: str, command: tuple[str, ...], flags: tuple[str, ...]) -> str:
    text = "\0".join([source, _version(command), *flags, cpu()])
    return hashlib.sha256(text.encode()).hexdigest()[:40] + ".so"


def _compile(
    command: tuple[str, ...], flags: tuple[str, ...], source: str, target: Path
) -> tuple[ctypes.CDLL | None, str]:
    """Compile in a folder of its own, so that nobody sees half a file, and put the result in its place."""
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        code, built = Path(work) / "kernel.c", Path(work) / "kernel.so"
        code.write_text(source)
        options = [f for f in flags if not f.startswith(("-l", "-Wl"))]
        libraries = [f for f in flags if f.startswith(("-l", "-Wl"))]
        run = subprocess.run(  # noqa: S603 - the compiler, on source made here
            [*command, *COMMON, *options, str(code), "-o", str(built), *libraries],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if run.returncode:
            return None, run.stderr
        library_cache.keep(built, target)
    return library_cache.load(target), "the library does not load"
