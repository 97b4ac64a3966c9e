"""The cache of compiled maps: nobody else's folder is trusted, nothing is loaded that is not as it was written."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from gandyn.dynamics import compile as compiling
from gandyn.dynamics import library_cache as cache

pytestmark = pytest.mark.skipif(
    compiling.compiler() is None or not hasattr(os, "getuid"), reason="a C compiler on a system with owners of files"
)


def answer(number):
    """A library that answers with a number, loaded past the cache of this process."""
    compiling.load.cache_clear()
    return compiling.load(f"int answer(void) {{ return {number}; }}").answer()


@pytest.fixture
def folder(monkeypatch, tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("GANDYN_CACHE", str(folder))
    return folder


def test_what_is_kept_is_ours_with_its_digest(folder):
    assert answer(1) == 1
    (library,) = folder.glob("*.so")
    assert cache.digest_file(library).exists()
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o720, 0o702])
def test_a_folder_in_which_others_may_write_is_not_used(folder, mode):
    folder.chmod(mode)
    assert answer(2) == 2
    assert not list(folder.glob("*.so"))


def test_a_link_in_place_of_the_folder_is_not_followed(monkeypatch, tmp_path):
    (tmp_path / "theirs").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    monkeypatch.setenv("GANDYN_CACHE", str(tmp_path / "link"))
    assert answer(3) == 3
    assert not list((tmp_path / "theirs").iterdir())


def test_another_users_folder_and_file_are_not_trusted(folder, monkeypatch):
    assert answer(4) == 4
    (library,) = folder.glob("*.so")
    ours = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: ours + 1)
    assert not cache.ours_alone(folder)
    assert cache.load(library) is None


def test_a_parent_that_anyone_may_change_is_not_trusted(folder):
    folder.parent.chmod(0o777)
    assert not cache.ours_alone(folder)
    folder.parent.chmod(0o777 | stat.S_ISVTX)
    assert cache.ours_alone(folder)


def test_the_fallback_has_a_name_that_nobody_can_guess_and_goes_with_the_process(tmp_path):
    code = "from gandyn.dynamics import library_cache as c; print(c.private_folder())"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    found = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment).stdout
        for _ in range(2)
    }
    assert len(found) == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["half", "empty", "flip", "no digest", "binary digest"])
def test_a_library_that_is_not_as_it_was_written_is_compiled_anew(folder, damage):
    """Half a library, loaded, kills the process by SIGBUS."""
    assert answer(5) == 5
    (library,) = folder.glob("*.so")
    content = library.read_bytes()
    library.unlink()  # this process has the file mapped: a new one, as a crash of another process would leave it
    flipped = bytes([content[0] ^ 1]) + content[1:]
    library.write_bytes({"half": content[: len(content) // 2], "empty": b"", "flip": flipped}.get(damage, content))
    if damage == "no digest":
        cache.digest_file(library).unlink()
    if damage == "binary digest":
        cache.digest_file(library).write_bytes(b"\xff\xfe")
    assert answer(5) == 5
    assert library.read_bytes()[:4] == content[:4]


@pytest.mark.slow
def test_sixteen_processes_share_a_cache(folder):
    code = (
        "from gandyn.dynamics.compile import load\n"
        "for k in range(3): assert load('int answer(void) { return %d; }' % k).answer() == k"
    )
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(16)]
    assert [process.wait(timeout=300) for process in running] == [0] * 16
    assert len(list(folder.glob("*.so"))) == 3


def test_a_compiler_may_be_a_python_package(folder, monkeypatch, tmp_path):
    """`python -m ziglang cc` stands in where PATH has none; here it hands on to the compiler that there is."""
    real, package = compiling.compiler(), tmp_path / "packages" / "ziglang"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    program = f"import subprocess, sys; sys.exit(subprocess.run([*{real!r}, *sys.argv[2:]]).returncode)"
    (package / "__main__.py").write_text(program)
    monkeypatch.setattr(compiling, "COMPILERS", ())
    monkeypatch.delenv("CC", raising=False)
    compiling.compiler.cache_clear()
    try:
        assert compiling.compiler() is None
        monkeypatch.syspath_prepend(package.parent)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(package.parent), *sys.path]))
        compiling.compiler.cache_clear()
        assert compiling.compiler() == (sys.executable, "-m", "ziglang", "cc")
        assert answer(7) == 7
    finally:
        compiling.compiler.cache_clear()
