"""The explorer's page, written while the docs are built, again only when the package changed."""

from __future__ import annotations

import hashlib
import pathlib

import pictures

import gandyn as gd
from gandyn.explorer.page import ASSETS


def prepare(folder: pathlib.Path) -> str:
    """`explorer_page.html` in a folder of its own, from which Sphinx copies it to the root of the site."""
    folder.mkdir(parents=True, exist_ok=True)
    target, stamp = folder / "explorer_page.html", folder.parent / "explorer.fingerprint"
    assets = "".join(path.read_text(encoding="utf-8") for path in sorted(ASSETS.iterdir()))
    made_from = f"{pictures.fingerprint()} {len(assets)} {hashlib.sha256(assets.encode()).hexdigest()}"
    if not target.exists() or not stamp.exists() or stamp.read_text(encoding="utf-8") != made_from:
        gd.explore(out=target)
        stamp.write_text(made_from, encoding="utf-8")
    return str(folder)
