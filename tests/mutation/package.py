"""A copy of the package in which one small wrong change at a time is made, and commands that run against the copy."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

ROOT = pathlib.Path(__file__).parent.parent.parent


class Change(Protocol):
    """Text that occurs in a file of the package (named from the package's folder), and what stands there instead."""

    @property
    def file(self) -> str: ...
    @property
    def find(self) -> str: ...
    @property
    def replace(self) -> str: ...


class PackageCopy:
    """The package as it is now, copied to `folder`: later edits of the original do not reach it.

    Args:
        folder: is made. with_tests: copy the tests and their settings too, so that pytest runs there.
    """

    def __init__(self, folder: pathlib.Path, with_tests: bool = False) -> None:
        self.folder = folder
        for name in ("gandyn", "tests") if with_tests else ("gandyn",):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".hypothesis", "_build"))
        if with_tests:
            shutil.copy2(ROOT / "pyproject.toml", folder)

    @contextlib.contextmanager
    def changed(self, change: Change) -> Iterator[None]:
        """The change's first occurrence made, and undone at the end.

        Raises:
            LookupError: where the text does not occur.
        """
        path = self.folder / "gandyn" / change.file
        before = path.read_text(encoding="utf-8")
        if change.find not in before:
            raise LookupError(f"{change.file} has no {change.find!r}")
        self._write(path, before.replace(change.find, change.replace, 1))
        try:
            yield
        finally:
            self._write(path, before)

    def _write(self, path: pathlib.Path, text: str) -> None:
        """Bytecode is found by a time in whole seconds, so that of an earlier change could be taken for this one's."""
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()
        path.write_text(text, encoding="utf-8")

    def run(self, arguments: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
        """`python ARGUMENTS` in the copy, which is what `import gandyn` finds there.

        Raises:
            subprocess.TimeoutExpired: after `seconds`.
        """
        return subprocess.run(
            [sys.executable, *arguments], **self._settings(), capture_output=True, text=True, timeout=seconds
        )

    def start(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        """The same as a process that runs on, and is talked to line by line."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        return subprocess.Popen([sys.executable, *arguments], **self._settings(), **pipes, text=True)

    def _settings(self) -> dict[str, Any]:
        own = {"PYTHONPATH": str(self.folder), "CI": "1", "PYTHONDONTWRITEBYTECODE": ""}
        return {"cwd": self.folder, "env": {**os.environ, **own}}
