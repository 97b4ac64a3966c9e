"""The folder of compiled maps: only ours to write, every library checked before it is loaded.

Whatever is loaded runs as the user. So a folder counts only where nobody else could have put a file: it belongs to this
user, nobody else may write in it, and no link stands in its place. Where there is no such folder, compiled maps live in
a fresh private one until the process ends, never in a place whose name another user could have guessed. A library is
loaded only where its SHA-256 is the one written beside it: a file cut short would kill the process.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

CACHE_LIMIT = 1000


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


def folders() -> Iterator[Path]:
    """The cache where it is ours alone, then a private folder of this process."""
    folder = cache_folder()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if ours_alone(folder):
            yield folder
    yield private_folder()


def ours_alone(folder: Path) -> bool:
    """Whether a folder is a real one of this user, in which nobody else may write, under parents that hold."""
    if not hasattr(os, "getuid"):
        return folder.is_dir()
    try:
        own = os.lstat(folder)
        if not stat.S_ISDIR(own.st_mode) or own.st_uid != os.getuid() or own.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return False
        return all(_holds(os.stat(parent)) for parent in folder.absolute().parents)
    except OSError:
        return False


def _holds(parent: os.stat_result) -> bool:
    """Whether a parent folder cannot be emptied by anyone but its owner, who is this user or root."""
    others_write = parent.st_mode & stat.S_IWOTH and not parent.st_mode & stat.S_ISVTX
    return parent.st_uid in (0, os.getuid()) and not others_write


@functools.cache
def private_folder() -> Path:
    """A folder that nobody else knows, made once a process and removed with it."""
    folder, owner = Path(tempfile.mkdtemp(prefix="gandyn-kernels-")), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # not in a fork of it
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


def load(path: Path) -> ctypes.CDLL | None:
    """A library from the cache; None where it is not there, not ours, or not as it was written."""
    try:
        own = os.lstat(path)
        if not stat.S_ISREG(own.st_mode) or (hasattr(os, "getuid") and own.st_uid != os.getuid()):
            return None
        if digest_file(path).read_text().strip() != hashlib.sha256(path.read_bytes()).hexdigest():
            return None
        return ctypes.CDLL(str(path))
    except (OSError, UnicodeDecodeError):  # absent or damaged: it will be compiled anew
        return None


def digest_file(path: Path) -> Path:
    """Where the SHA-256 of a library is written."""
    return path.with_name(f"{path.name}.sha256")


def keep(built: Path, target: Path) -> None:
    """Put a library in its place with its digest: on disk before it has its name, so that a crash leaves no half."""
    digest = built.with_suffix(".sha256")
    digest.write_text(hashlib.sha256(built.read_bytes()).hexdigest())
    for file in (built, digest):
        _synced(file)
    digest.replace(digest_file(target))
    built.replace(target)
    _synced(target.parent)
    prune(target)


def _synced(path: Path) -> None:
    with contextlib.suppress(OSError):  # folders cannot be opened everywhere
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def locked(target: Path) -> Iterator[None]:
    """One process at a time compiles a map, and those that waited find it there."""
    try:
        import fcntl
    except ImportError:  # Windows: each compiles its own, the last one stays
        yield
        return
    with open(target.with_name(f"{target.name}.lock"), "a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def prune(newest: Path) -> None:
    """Forget the oldest files of a folder and kind beyond the limit, not the newest, whatever the clock says of it."""
    ages = []
    for file in set(newest.parent.glob(f"*{newest.suffix}")) - {newest}:
        with contextlib.suppress(OSError):  # another process forgot it first
            ages.append((file.stat().st_mtime, file))
    for _, old in sorted(ages)[: max(len(ages) + 1 - CACHE_LIMIT, 0)]:
        for file in (old, digest_file(old), old.with_name(f"{old.name}.lock")):
            file.unlink(missing_ok=True)
