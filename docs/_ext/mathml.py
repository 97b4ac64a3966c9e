"""Mathematics without a network: LaTeX becomes MathML when the site is built, and browsers render it natively."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.errors import ExtensionError

# What the converter does not know, in words that it does.
REWRITES = (
    (re.compile(r"\\[Bb]igg?[lr]?(?=\\[a-zA-Z|])"), ""),
    (re.compile(r"\\arg(?![a-zA-Z])"), r"\\operatorname{arg}"),
    (re.compile(r"\\(begin|end)\{(?:aligned|split|align)\}"), r"\\\1{align*}"),
    (re.compile(r"\\mathrm\{([A-Za-z]{2,})\}"), r"\\operatorname{\1}"),
    (re.compile(r"\\operatorname\*"), r"\\operatorname"),
    (re.compile(r"\\lvert(?![a-zA-Z])"), r"\\left|"),
    (re.compile(r"\\rvert(?![a-zA-Z])"), r"\\right|"),
    (re.compile(r"\\lVert(?![a-zA-Z])"), r"\\left\\|"),
    (re.compile(r"\\rVert(?![a-zA-Z])"), r"\\right\\|"),
    (re.compile(r"\\lang(?=[^a-z])"), r"\\langle"),
    (re.compile(r"\\(?:dfrac|cfrac)"), r"\\frac"),
)
NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
LIMITS = {"min", "max", "lim", "sup", "inf", "mod"}
ElementTree.register_namespace("", NAMESPACE[1:-1])


def mathml(latex: str, display: bool) -> str:
    r"""One `<math>` element.

    Raises:
        ValueError: if anything of the LaTeX is left over in the output, or the output is not well formed.

    Example:
        >>> mathml("x^2", display=False)
        '<math ...display="inline"><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>'
    """
    source = latex
    for pattern, replacement in REWRITES:
        source = pattern.sub(replacement, source)
    source = re.sub(r"\\text\{([^{}]*)\}", lambda m: r"\text{" + m[1].replace(r"\_", "_") + "}", source)
    result: str = convert(source, display="block" if display else "inline")
    result = re.sub(r"<mo>&#x0007E;</mo>|<mi>&#x0007E;</mi>", "<mo>&#x223C;</mo>", result)
    try:
        root = ElementTree.fromstring(result)
    except ElementTree.ParseError as error:
        raise ValueError(f"no well-formed MathML for {latex!r}: {error}") from error
    left = [text for text in root.itertext() if "\\" in text]
    if left:
        raise ValueError(f"LaTeX left over in the MathML of {latex!r}: {left}")
    _space(root)
    return ElementTree.tostring(root, encoding="unicode")


def _space(row: ElementTree.Element) -> None:
    """Spacing that LaTeX would give: signs before a term, solidi, and names of functions."""
    previous = None
    for k, item in reversed(list(enumerate(row))):
        if _tag(item) == "mo" and (item.text or "").isalpha() and item.text not in LIMITS:
            item.tag = item.tag.replace("}mo", "}mi")
        following = _tag(row[k + 1]) if k + 1 < len(row) else "mo"
        if _tag(item) == "mi" and len(item.text or "") > 1 and following not in {"mo", "mrow"}:
            row.insert(k + 1, ElementTree.Element(f"{NAMESPACE}mspace", {"width": "0.167em"}))
    for item in row:
        if _tag(item) == "mo" and item.text in {"\u2212", "+", "\u00b1"} and _opens(previous):
            item.set("form", "prefix")
        if _tag(item) == "mo" and item.text == "/":
            item.attrib.update(lspace="0", rspace="0")
        _space(item)
        previous = item


def _opens(previous: ElementTree.Element | None) -> bool:
    """Whether a sign after this is a sign, not an operation: at the start, or after an operator or a space."""
    if previous is None or _tag(previous) in {"mspace", "mtext"}:
        return True
    if _tag(previous) == "mi" and not previous.text:
        return True
    return _tag(previous) == "mo" and previous.text not in {")", "]", "|", "\u2016", "!"}


def _tag(item: ElementTree.Element) -> str:
    return item.tag.rsplit("}", 1)[-1]


def _render(self: Any, node: nodes.Element, display: bool) -> str:
    try:
        return mathml(node.astext(), display)
    except Exception as error:  # the converter has errors of many kinds; none of them says where
        raise ExtensionError(f"{node.source}: {node.astext()!r}: {type(error).__name__} {error}") from error


def visit_inline(self: Any, node: nodes.math) -> None:
    """Within a line."""
    self.body.append(_render(self, node, display=False))
    raise nodes.SkipNode


def visit_block(self: Any, node: nodes.math_block) -> None:
    """On a line of its own, that can be scrolled where it is too wide."""
    self.body.append('<div class="math-block">' + _render(self, node, display=True) + "</div>\n")
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, Any]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
