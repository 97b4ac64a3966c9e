"""Compiled maps on disk: found again, made anew when damaged, and done without where there is no compiler."""

from __future__ import annotations

import os

import pytest
from kernel_cases import needs_compiler

import gandyn as gd
from gandyn.dynamics import compile as compiling
from gandyn.errors import (
    DomainError,
    MissingDependencyError,
)


@needs_compiler
def test_a_compiled_map_is_found_again_on_disk(monkeypatch, tmp_path):
    monkeypatch.setenv("GANDYN_CACHE", str(tmp_path))
    source = "int answer(void) { return 42; }"
    compiling.load.cache_clear()
    assert compiling.load(source).answer() == 42
    (library,) = tmp_path.glob("*.so")
    monkeypatch.setattr(compiling, "_compile", lambda *_: pytest.fail("compiled again"))
    compiling.load.cache_clear()
    assert compiling.load(source).answer() == 42
    assert library.stat().st_mode & 0o077 == 0 or os.name == "nt" or tmp_path.stat().st_mode & 0o022 == 0


@needs_compiler
def test_a_damaged_library_is_compiled_anew_and_a_refused_source_is_reported(monkeypatch, tmp_path):
    monkeypatch.setenv("GANDYN_CACHE", str(tmp_path))
    source = "int answer(void) { return 43; }"
    compiling.load.cache_clear()
    compiling.load(source)
    (library,) = tmp_path.glob("*.so")
    library.unlink()
    library.write_bytes(b"not a library")
    compiling.load.cache_clear()
    assert compiling.load(source).answer() == 43
    with pytest.raises(DomainError, match="does not compile"):
        compiling.load("int answer(void) { return")


@needs_compiler
def test_a_cache_that_cannot_be_written_is_replaced_by_a_temporary_folder(monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("GANDYN_CACHE", str(blocked))
    compiling.load.cache_clear()
    assert compiling.load("int answer(void) { return 44; }").answer() == 44


def test_without_a_compiler_numpy_takes_over(monkeypatch):
    monkeypatch.setattr(compiling, "compiler", lambda: None)
    traced = gd.update_map(gd.games.bilinear(), gd.rules.GDA(0.1))
    assert traced.kernel().backend == "numpy"
    compiling.load.cache_clear()
    with pytest.raises(MissingDependencyError, match="gcc, cc or clang"):
        traced.kernel("c")
