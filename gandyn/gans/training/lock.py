"""One process at a time in the folder of a run."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from ...errors import OutputError, writing

_held: dict[Path, Held] = {}


@dataclasses.dataclass(frozen=True)
class Held:
    """A folder that one thread of this process holds.

    Attributes:
        folder: its path. thread: who holds it. handle: the open folder itself, wherever it is moved; None where the
            system opens no folders.
    """

    folder: Path
    thread: int
    handle: int | None

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Write into the folder itself. Raises OutputError where it was moved or deleted meanwhile."""
        self._check()
        try:
            yield
        except OutputError:
            self._check()
            raise

    def _check(self) -> None:
        if self.handle is None:
            return
        try:
            there = os.path.samestat(os.fstat(self.handle), os.stat(self.folder))
        except (FileNotFoundError, NotADirectoryError):
            there = False
        if not there:
            raise OutputError(
                f"{self.folder}, which was moved or deleted while a run trains in it",
                "the same folder to the end of the run",
                "train again with the folder's new place: it goes on from its last checkpoint",
            )


@contextlib.contextmanager
def locked(folder: Path | None) -> Iterator[Held | None]:
    """Hold the folder until the context or the process ends. Raises OutputError where another trains there."""
    if folder is None:
        yield None
        return
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    key, thread = folder.resolve(), threading.get_ident()
    if key in _held and _held[key].thread == thread:  # `Run.start` holds it for `train`
        yield _held[key]
        return
    if key in _held:
        raise _taken(folder, "another thread of this process")
    with _alone(folder) as handle:
        # What a process that was killed as it wrote has left.
        for left in [*folder.glob(".*.part"), *folder.glob("samples/.*.part")]:
            left.unlink(missing_ok=True)
        _held[key] = Held(folder, thread, handle)
        try:
            yield _held[key]
        finally:
            del _held[key]


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[int | None]:
    """The folder itself is locked, so that nothing is left in it."""
    try:
        import fcntl
    except ImportError:  # Windows: no lock
        yield None
        return
    with writing(folder):
        handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(folder, "another process") from None
        except OSError:  # a file system without locks
            pass
        yield handle
    finally:
        os.close(handle)


def _taken(folder: Path, who: str) -> OutputError:
    return OutputError(f"{folder}, in which {who} trains", "a folder for each run", "take another folder, or wait")
