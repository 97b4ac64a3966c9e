"""The gallery of examples: copies of `examples/` with a title each; those that train networks are shown, not run."""

from __future__ import annotations

import ast
import pathlib
import re
from typing import Any

from docstrings import plain_to_rst

TRAINS = re.compile(r"GANGame|gans\.train|torch\.optim")
HEADER = """Examples
========

Short scripts to run first, from ``examples/`` in the repository. Those that train networks take minutes and are shown
here without their output.
"""


def prepare(source: pathlib.Path, target: pathlib.Path) -> str:
    """Write what sphinx-gallery reads into `target`; the pattern of the scripts to execute.

    The copies keep the scripts' own folder clean of the files that they write.
    """
    target.mkdir(parents=True, exist_ok=True)
    for old in target.iterdir():
        old.unlink()
    (target / "GALLERY_HEADER.rst").write_text(HEADER, encoding="utf-8")
    executed = []
    for path in sorted(source.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        (target / path.name).write_text(titled(path.stem, text), encoding="utf-8")
        if not TRAINS.search(text):
            executed.append(re.escape(path.name))
    return "/(" + "|".join(executed or ["none"]) + ")$"


def titled(stem: str, text: str) -> str:
    """The script with a heading in its docstring, and the docstring's plain text escaped."""
    title = stem.replace("_", " ").replace("gda", "GDA").replace(" gan", " GAN")
    title = title[0].upper() + title[1:]
    docstring = ast.get_docstring(ast.parse(text), clean=True) or title
    body = "\n".join(plain_to_rst(docstring.split("\n"))).replace("\\", "\\\\")
    rest = re.sub(r'^\s*[rR]?"""(.*?)"""\n', "", text, count=1, flags=re.DOTALL)
    return f'"""\n{title}\n{"=" * len(title)}\n\n{body}\n"""\n{rest}'


def _scrape(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the drawings among a script's variables: they belong to no pyplot window."""
    from sphinx_gallery.scrapers import figure_rst

    from gandyn.plots import Drawing

    seen = block_vars["example_globals"].setdefault("__drawings_shown__", set())
    paths = []
    for value in list(block_vars["example_globals"].values()):
        if isinstance(value, Drawing) and id(value) not in seen:
            seen.add(id(value))
            paths.append(str(next(block_vars["image_path_iterator"])))
            value.savefig(paths[-1], dpi=200)
    return figure_rst(paths, gallery_conf["src_dir"])


def _get_sg_image_scraper() -> Any:
    """How sphinx-gallery asks a module for its scraper."""
    return _scrape
