"""What the docs say of architectures, data sets, features and metrics of real GANs, asked of their registries."""

from __future__ import annotations

import importlib
from typing import Any

import markdown
from docstrings import summary

import gandyn as gd

SIZES = {"mlp": ((2,),), "dcgan": ((1, 28, 28), (1, 32, 32), (3, 64, 64)), "residual": ((3, 32, 32),)}


def table(room: str) -> list[str]:
    """All entries of a room at a glance."""
    rows = [[f"[`{e.name}`](#gan-{room}-{_slug(e)})", summary(e.build)] for e in _entries(room)]
    return markdown.table(["name", "what it is"], rows)


def entries(room: str) -> list[str]:
    """Every entry of a room: signature and docstring."""
    lines = []
    for entry in _entries(room):
        lines += [f"(gan-{room}-{_slug(entry)})=", f"### {entry.name}", ""]
        lines += markdown.described("function", f"gandyn.gans.{room}.{entry.name}", entry.build)
    return lines


def named_class(path: str) -> list[str]:
    """A class that the entries return or are built from."""
    module, name = path.rsplit(".", 1)
    return markdown.described("class", path, getattr(importlib.import_module(module), name))


def sizes() -> list[str]:
    """How many parameters the architectures have at their usual sizes."""
    rows = []
    for name, shapes in SIZES.items():
        for shape in shapes:
            counts = [
                sum(p.numel() for p in network.parameters()) for network in gd.gans.architectures.pair(name, shape)
            ]
            rows.append(
                [f"`{name}`", " x ".join(map(str, shape)), *(f"{count:,}".replace(",", " ") for count in counts)]
            )
    return markdown.table(["architecture", "data", "generator", "discriminator"], rows)


def _entries(room: str) -> list[Any]:
    return list(importlib.import_module(f"gandyn.gans.{room}").registry)


def _slug(entry: Any) -> str:
    return str(entry.name).replace("_", "-")
