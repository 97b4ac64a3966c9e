"""One process at a time in the folder of a run."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from ...errors import OutputError

_held: dict[Path, int] = {}


@contextlib.contextmanager
def locked(folder: Path | None) -> Iterator[None]:
    """Hold the folder while the context lasts; it is free again when the process ends, however it ends.

    Raises:
        OutputError: where another process, or another thread of this one, trains there.
    """
    if folder is None:
        yield
        return
    with making(folder):
        folder.mkdir(parents=True, exist_ok=True)
    key, thread = folder.resolve(), threading.get_ident()
    if _held.get(key) == thread:  # `start` holds it for `train`
        yield
        return
    if key in _held:
        raise _taken(folder, "another thread of this process")
    _held[key] = thread
    try:
        with _alone(folder):
            yield
    finally:
        del _held[key]


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """The folder itself is locked, so that nothing is left in it."""
    try:
        import fcntl
    except ImportError:  # Windows: no lock
        yield
        return
    with making(folder):
        handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(folder, "another process") from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(handle)


def _taken(folder: Path, who: str) -> OutputError:
    return OutputError(f"{folder}, in which {who} trains", "a folder for each run", "take another folder, or wait")


@contextlib.contextmanager
def making(path: Path) -> Iterator[None]:
    """What cannot be written, by name.

    Raises:
        OutputError: for a full disk, a folder in place of a file, a file in place of a folder, no permission.
    """
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise OutputError(f"{path} cannot be written ({why})", "space, and a place of its own", "check it") from error
