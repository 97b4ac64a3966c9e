"""The documentation of every tag in a folder of its own, with a list on each page to change between them.

    python docs/versions.py docs/_build/versions

builds each tag from a checkout of its own, with that checkout's package, and writes `index.html`, which leads to the
newest. What is built already is kept, so a new tag costs one build; `--again` builds all.
"""

from __future__ import annotations

import argparse
import html
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence

SPHINX = (sys.executable, "-m", "sphinx", "-q", "-b", "html", "docs", "{out}")
SWITCHER = """// Written by docs/versions.py: the list of versions on each page.
(() => {
  const versions = VERSIONS, root = new URL(".", document.currentScript.src);
  const here = location.href.slice(root.href.length);
  const now = here.split("/")[0], page = here.slice(now.length + 1), list = document.createElement("select");
  list.setAttribute("aria-label", "Version of the documentation");
  list.append(...versions.map((name) => new Option(name, name, false, name === now)));
  list.addEventListener("change", () => { location.href = new URL(`${list.value}/${page}`, root); });
  list.style.cssText = "position: fixed; right: 1rem; bottom: 1rem; z-index: 99; padding: 0.3rem; font: inherit";
  document.body.append(list);
})();
"""


def git(repository: pathlib.Path, *words: str | os.PathLike[str]) -> str:
    """What a git command prints."""
    command = ["git", "-C", str(repository), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def build(
    repository: pathlib.Path, out: pathlib.Path, command: Sequence[str] = SPHINX, again: bool = False
) -> list[str]:
    """Build the documentation of every tag under `out`, and return the tags, newest version first.

    Args:
        repository: a git repository with tags.
        out: the folder; each tag gets one of its name in it.
        command: what builds one of them from the checkout it is run in; `{out}` stands for the folder.
        again: build those too that are there.

    Raises:
        SystemExit: for a repository without tags. subprocess.CalledProcessError: where a build fails.
    """
    tags = git(repository, "tag", "--sort=-version:refname").split()
    if not tags:
        raise SystemExit("the repository has no tags; needed: one to build; usual fix: git tag v0.1.0")
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    for tag in tags:
        if again or not (out / tag / "index.html").exists():
            _one(repository, tag, out / tag, command)
    (out / "versions.js").write_text(SWITCHER.replace("VERSIONS", json.dumps(tags), 1), encoding="utf-8")
    newest = html.escape(tags[0])
    (out / "index.html").write_text(
        '<!DOCTYPE html><meta charset="utf-8"><title>gandyn</title>'
        f'<meta http-equiv="refresh" content="0; url={newest}/">'
        f'<a href="{newest}/">gandyn {newest}</a>\n',
        encoding="utf-8",
    )
    return tags


def _one(repository: pathlib.Path, tag: str, out: pathlib.Path, command: Sequence[str]) -> None:
    """Build one tag from a checkout that goes away again; a build that fails leaves nothing behind."""
    with tempfile.TemporaryDirectory() as folder:
        checkout, made = pathlib.Path(folder) / "checkout", pathlib.Path(folder) / "html"
        git(repository, "worktree", "add", "--detach", checkout, tag)
        try:
            words = [word.replace("{out}", str(made)) for word in command]
            subprocess.run(words, cwd=checkout, env=os.environ | {"PYTHONPATH": str(checkout)}, check=True)
            for page in made.rglob("*.html"):
                up = "../" * len(page.relative_to(made).parts)
                text = page.read_text(encoding="utf-8")
                page.write_text(text.replace("</body>", f'<script src="{up}versions.js"></script></body>', 1), "utf-8")
        finally:
            git(repository, "worktree", "remove", "--force", checkout)
        shutil.rmtree(out, ignore_errors=True)
        shutil.move(made, out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=pathlib.Path, help="the folder for all versions")
    parser.add_argument("--again", action="store_true", help="build what is there already too")
    given = parser.parse_args()
    print("\n".join(build(pathlib.Path(__file__).parent.parent, given.out, again=given.again)))
