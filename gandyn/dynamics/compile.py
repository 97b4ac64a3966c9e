"""Compile generated C once: find a compiler, keep the result in the user's cache, load it.

A library is filed under a hash of its source, the compiler's version, its flags and the CPU, so a changed map, an
updated compiler or another machine never meets stale code.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ..errors import DomainError, MissingDependencyError

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
CACHE_LIMIT = 1000


@functools.cache
def compiler() -> tuple[str, ...] | None:
    """The command of the C compiler, from $CC or the usual names; None where there is none."""
    named = shlex.split(os.environ.get("CC", ""))
    candidates = [named] if named else []
    for command in (*candidates, *([name] for name in COMPILERS)):
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


def cache_folder() -> Path:
    """Where compiled maps are kept: $GANDYN_CACHE, or the platform's folder for caches."""
    if os.environ.get("GANDYN_CACHE"):
        return Path(os.environ["GANDYN_CACHE"])
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "gandyn" / "kernels"


@functools.cache
def load(source: str, strict: bool = False) -> ctypes.CDLL:
    """The shared library of a C source, from the cache or freshly compiled.

    Args:
        source: one C file.
        strict: no fused multiply-adds and no vectorised library functions: IEEE arithmetic, operation by operation.

    Raises:
        MissingDependencyError: if there is no C compiler.
        DomainError: if the compiler refuses the source with every set of flags.
    """
    command = compiler()
    if command is None:
        raise MissingDependencyError(
            "the backend 'c' without a C compiler", "gcc, cc or clang on PATH, or $CC", 'kernel="numpy"'
        )
    errors = ""
    for flags in TIERS[strict]:
        text = "\0".join([source, _version(command), *flags, cpu()])
        name = hashlib.sha256(text.encode()).hexdigest()[:40] + ".so"
        for folder in _folders():
            library = _load_cached(folder / name)
            if library is not None:
                return library
            try:
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


def _folders() -> tuple[Path, Path]:
    return cache_folder(), Path(tempfile.gettempdir()) / f"gandyn-kernels-{os.getuid() if hasattr(os, 'getuid') else 0}"


def _load_cached(path: Path) -> ctypes.CDLL | None:
    if not path.exists() or (hasattr(os, "getuid") and path.stat().st_uid != os.getuid()):
        return None
    try:
        return ctypes.CDLL(str(path))
    except OSError:  # damaged: it will be compiled anew
        return None


def _compile(
    command: tuple[str, ...], flags: tuple[str, ...], source: str, target: Path
) -> tuple[ctypes.CDLL | None, str]:
    """Compile to a temporary name and rename, so that two processes never see half a file."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
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
        built.replace(target)
    _prune(target.parent)
    return _load_cached(target), "the library does not load"


def _prune(folder: Path) -> None:
    """Forget the oldest libraries beyond the limit."""
    files = list(folder.glob("*.so"))
    if len(files) > CACHE_LIMIT:
        for old in sorted(files, key=lambda f: f.stat().st_mtime)[: len(files) - CACHE_LIMIT]:
            old.unlink(missing_ok=True)
