"""Docstrings into reStructuredText: they are written as plain text, in which |v|, J^T v* and f_x mean what they say."""

from __future__ import annotations

import inspect
import re
from typing import Any

CODE = re.compile(r"(``[^`]*``|`[^`]+`)")
EMPHASIS = re.compile(r"(?<![\w*)\]])\*(\w[\w' -]*\w)\*(?![\w*])")
OPTIONS = {"napoleon_use_rtype": False, "napoleon_use_ivar": True, "napoleon_use_param": True}


def plain_to_rst(lines: list[str]) -> list[str]:
    """A docstring's lines with the characters escaped that reStructuredText would read as markup.

    Code between backticks becomes a literal. Doctests are left alone.

    Example:
        >>> plain_to_rst(["descend |v|^2 with `step`"])
        ['descend \\\\|v\\\\|^2 with ``step``']
    """
    result, doctest = [], False
    for line in lines:
        stripped = line.strip()
        doctest = stripped.startswith(">>>") or (doctest and bool(stripped))
        result.append(line if doctest else _escape(line))
    return result


def _escape(line: str) -> str:
    parts = CODE.split(line)
    for k, part in enumerate(parts):
        if k % 2:
            before = "" if re.search(r"[\s(\[{<'\"/:-]$|^$", parts[k - 1]) else "\\ "
            after = "" if re.match(r"[\s.,:;!?)\]}>'\"/-]|$", parts[k + 1]) else "\\ "
            parts[k] = f"{before}``{part.strip('`')}``{after}"
        else:
            part = part.replace("\\", "\\\\")
            words = EMPHASIS.split(part)
            escaped = [re.sub(r"([|*])", r"\\\1", word) if m % 2 == 0 else f"*{word}*" for m, word in enumerate(words)]
            part = "".join(escaped)
            part = part.replace("`", "\\`")
            parts[k] = re.sub(r"_(?=\W|$)", r"\\_", part)
    return "".join(parts)


def one_attribute_each(lines: list[str]) -> list[str]:
    """Attributes that share a line, each with the text of it, as napoleon does with arguments but not with attributes.

    Example:
        >>> one_attribute_each(["Attributes:", "    game, rule: what was", "        analysed.", "", "Example:"])[1:4]
        ['    game: what was', '        analysed.', '    rule: what was']
    """
    result, shared, inside, depth = [], [], False, 0

    def close() -> None:
        for name in shared[0][1] if shared else ():
            result.extend([f"{shared[0][0]}{name}:{shared[0][2]}", *shared[1:]])
        shared.clear()

    for line in [*lines, ""]:
        indent = len(line) - len(line.lstrip())
        head = re.match(r"( +)((?:\w+, )+\w+):(.*)", line)
        if shared and line.strip() and indent > len(shared[0][0]):
            shared.append(line)
            continue
        close()
        if line.strip() == "Attributes:":
            inside, depth = True, indent
        elif line.strip() and indent <= depth:
            inside = False
        if inside and head:
            shared.append((head[1], head[2].split(", "), head[3]))
        else:
            result.append(line)
    return result[:-1]


def docstring_rst(thing: Any) -> list[str]:
    """A Google-style docstring as reStructuredText lines."""
    from sphinx.ext.napoleon import Config, GoogleDocstring  # tables are also written where there is no Sphinx

    lines = plain_to_rst(one_attribute_each((inspect.getdoc(thing) or "").split("\n")))
    return GoogleDocstring(lines, Config(**OPTIONS), what="class").lines()


def summary(thing: Any) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def process(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Autodoc's hook: before napoleon reads the sections."""
    lines[:] = plain_to_rst(one_attribute_each(lines))


def setup(app: Any) -> dict[str, Any]:
    """Connect ahead of napoleon."""
    app.connect("autodoc-process-docstring", process, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
