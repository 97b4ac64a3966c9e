"""The documentation of each tag stands in a folder of its own, and every page has the list of versions."""

import importlib.util
import pathlib
import subprocess
import sys

import pytest
from headless import CHROMIUM, browser

SCRIPT = pathlib.Path(__file__).parent.parent / "docs" / "versions.py"
BUILDER = (
    "import pathlib, sys; out = pathlib.Path(sys.argv[1]) / 'howto'; out.mkdir(parents=True); page = f'<html><body>"
    "{pathlib.Path(\"page.txt\").read_text()}</body></html>'; (out / 'a.html').write_text(page);"
    "(out.parent / 'index.html').write_text(page)"
)
COMMAND = (sys.executable, "-c", BUILDER, "{out}")


@pytest.fixture
def versions():
    spec = importlib.util.spec_from_file_location("versions", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()

    def git(*words):
        name = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", "-C", str(folder), *name, *words], check=True, capture_output=True)

    git("init", "-q")
    for tag in ("v0.9.0", "v0.10.0"):
        (folder / "page.txt").write_text(f"this is {tag}")
        git("add", ".")
        git("commit", "-qm", tag)
        git("tag", tag)
    return folder


@pytest.mark.slow
def test_two_tags_and_the_list_on_every_page(versions, repository, tmp_path):
    out = tmp_path / "site"
    assert versions.build(repository, out, COMMAND) == ["v0.10.0", "v0.9.0"]  # by version, not by letter
    assert "url=v0.10.0/" in (out / "index.html").read_text()
    for tag in ("v0.9.0", "v0.10.0"):
        text = (out / tag / "howto" / "a.html").read_text()
        assert f"this is {tag}" in text
        assert '<script src="../../versions.js">' in text
        assert '<script src="../versions.js">' in (out / tag / "index.html").read_text()
    kept = (out / "v0.9.0" / "index.html").stat().st_mtime_ns
    failing = (sys.executable, "-c", "raise SystemExit(1)")
    versions.build(repository, out, failing)  # everything is there, so nothing is built
    with pytest.raises(subprocess.CalledProcessError):
        versions.build(repository, out, failing, again=True)
    assert (out / "v0.9.0" / "index.html").stat().st_mtime_ns == kept
    trees = subprocess.run(
        ["git", "-C", str(repository), "worktree", "list"], capture_output=True, text=True, check=True
    )
    assert len(trees.stdout.splitlines()) == 1
    if CHROMIUM is None:
        return
    with browser() as tab:
        tab.open((out / "v0.10.0" / "howto" / "a.html").as_uri())
        assert tab.run("document.querySelector('select').value") == "v0.10.0"
        tab.run("(() => { const s = document.querySelector('select'); s.value = 'v0.9.0';"
                "s.dispatchEvent(new Event('change')); })()")  # fmt: skip
        tab.until("location.href.endsWith('v0.9.0/howto/a.html') && Boolean(document.body)")
        tab.until("document.body.textContent.startsWith('this is v0.9.0')")
        assert tab.errors == []


@pytest.mark.slow
def test_a_repository_without_tags_is_refused(versions, tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with pytest.raises(SystemExit, match="no tags"):
        versions.build(tmp_path, tmp_path / "site", COMMAND)
