"""A watch as one HTML page: verdicts, failure modes, numbers and curves drawn inline; it loads nothing."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import results
from ..gans.monitor import Row
from . import words
from .verdicts import Verdict

COLOURS = ("#0b6e99", "#c2410c", "#4d7c0f", "#7e22ce", "#475569")
WIDTH, HEIGHT, LEFT, BOTTOM = 520, 220, 62, 26
STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1c1917; background: #fff; margin: 0 auto; max-width: 1180px;
  padding: 1.2rem; }
h1 { font-size: 1.4rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 1.8rem 0 .5rem; }
p.head { color: #57534e; margin: 0; } p.answer { font-size: 1.05rem; margin: .8rem 0; }
ul { margin: 0; padding-left: 1.1rem; } li { margin: .25rem 0; overflow-wrap: anywhere; }
.kind { display: inline-block; padding: 0 .5rem; border-radius: .4rem; font-weight: 600; background: #e7e5e4; }
.good { background: #d9f0d3; } .bad { background: #fbd5d0; }
.curves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); gap: 1rem; }
figure { margin: 0; } figcaption { font-size: .9rem; color: #44403c; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 13px system-ui, sans-serif; fill: #57534e; } dl { margin: 0; }
dt { font-weight: 600; margin-top: .5rem; } dd { margin: 0; overflow-wrap: anywhere; }
footer { margin-top: 2rem; font-size: .85rem; color: #78716c; }
"""
GOOD, BAD = {"TURNING", "SETTLING", "AT_REST"}, {"FAILING", "DIVERGING", "STUCK"}


def page(watch: Any) -> str:
    """The report of a watch as the text of one HTML page, which loads no other file."""
    body = [
        f"<h1>Watch of {_text(', '.join(watch.names))}</h1>",
        f'<p class="head">{_text(words.head(watch))}</p>',
        f'<p class="answer"><strong>Has it converged, when to stop?</strong> {_text(words.converged(watch))}</p>',
        f'<p class="answer">{_text(words.untrained(watch))}</p>',
        "<h2>Each loss</h2>",
        _list([_verdict(one) for one in watch.verdicts.values()]),
        "<h2>Failure modes</h2>",
        _list([_text(found) for found in watch.findings] or ["none seen"]),
        "<h2>Curves</h2>",
        f'<div class="curves">{"".join(_curves(watch))}</div>',
        "<h2>Measured</h2>",
        "<dl>" + "".join(f"<dt>{_text(a)}</dt><dd>{_text(b)}</dd>" for a, b in words.measured(watch)) + "</dl>",
    ]
    missing = watch.unmeasured()
    if missing:
        body += ["<h2>Not measured</h2>", _list([_text(f"{name}: {why}") for name, why in missing.items()])]
    failed = [row for row in watch.rows if "error" in row]
    if failed:
        body += [
            "<h2>Looks that failed</h2>",
            _list([_text(f"step {row['step']}: {row['error']}") for row in failed[-5:]]),
        ]
    version = _text(results.version)
    looks = f"{words.counted(len(watch.rows), 'look')}, about {watch.every} steps apart or more"
    foot = f"<footer>gandyn {version}. {looks}, on copies of the networks.</footer>"
    title = _text(f"Watch of {', '.join(watch.names)}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body>{''.join(body)}{foot}</body></html>\n"
    )


def _text(value: object) -> str:
    return html.escape(str(value))


def _list(items: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


def _verdict(one: Verdict) -> str:
    colour = "good" if one.kind.name in GOOD else "bad" if one.kind.name in BAD else ""
    return (
        f'<strong>{_text(one.name)}</strong> <span class="kind {colour}">{_text(one.kind)}</span> {_text(one.reason)}'
    )


def _curves(watch: Any) -> list[str]:
    rows = [row for row in watch.rows if "losses" in row]
    if not rows:
        return ["<p>No look yet.</p>"]
    steps = [row["step"] for row in rows]
    drawn = [
        _curve("losses", steps, _by_network(rows, "losses", watch.names)),
        _curve("norm of the gradient", steps, _by_network(rows, "gradient_norms", watch.names), log=True),
    ]
    shares = {"data above samples": [row.get("order") for row in rows], "doubt": [row.get("doubt") for row in rows]}
    drawn.append(_curve("share of pairs in the right order, and doubt (1/2: cannot tell)", steps, shares))
    spread = {"spread": [row.get("spread") for row in rows], "own spread": [row.get("own_spread") for row in rows]}
    drawn.append(_curve("spread of the samples, in units of the data's", steps, spread))
    drawn.append(_curve("largest slope of the discriminator met", steps, _by_network(rows, "lipschitz", watch.names)))
    turning = {"rotation": [(row.get("rotation") or {}).get("share") for row in rows]}
    drawn.append(_curve("share of J that turns", steps, turning))
    gaps = {"gap": [(row.get("gap") or {}).get("value") for row in rows]}
    drawn.append(_curve("duality gap, estimated on one batch", steps, gaps))
    path = watch.newest("path")
    if path is not None:
        title = "cosine between the field and the way from the first step (0) to here (1)"
        drawn.append(_curve(title, path[1]["positions"], {"cosine": path[1]["angle"]}, across="place on the way"))
    return [one for one in drawn if one]


def _by_network(rows: Sequence[Row], key: str, names: Sequence[str]) -> dict[str, list[float | None]]:
    return {name: [(row.get(key) or {}).get(name) for row in rows] for name in names}


def _curve(
    title: str,
    x: Sequence[float],
    curves: Mapping[str, Sequence[float | None]],
    log: bool = False,
    across: str = "step",
) -> str:
    """Lines with points as inline SVG; empty where no curve has two finite points."""
    points = {
        name: [(a, b) for a, b in zip(x, map(_shown(log), values), strict=True) if b is not None]
        for name, values in curves.items()
    }
    points = {name: found for name, found in points.items() if len(found) > 1}
    if not points:
        return ""
    every = np.array([p for found in points.values() for p in found])
    (left, low), (right, high) = every.min(0), every.max(0)
    pad = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    frame = _Frame(left, right if right > left else left + 1, low - pad, high + pad)
    marks = [_lines(frame, found, COLOURS[i % len(COLOURS)]) for i, found in enumerate(points.values())]
    names = "; ".join(
        f'<span style="color:{COLOURS[i % len(COLOURS)]}">&#9632;</span> {_text(name)}' for i, name in enumerate(points)
    )
    svg = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_text(title)}">'
        f"{_axes(frame, log, across)}{''.join(marks)}</svg>"
    )
    return f"<figure><figcaption>{_text(title)}<br>{names}</figcaption>{svg}</figure>"


def _shown(log: bool) -> Callable[[float | None], float | None]:
    def number(value: float | None) -> float | None:
        if value is None or not math.isfinite(value) or (log and value <= 0):
            return None
        return math.log10(value) if log else float(value)

    return number


class _Frame:
    """From numbers to pixels of one picture: the ranges of both axes, and the place of a value along each."""

    def __init__(self, left: float, right: float, low: float, high: float) -> None:
        self.left, self.right, self.low, self.high = left, right, low, high

    def x(self, value: float) -> float:
        return LEFT + (value - self.left) / (self.right - self.left) * (WIDTH - LEFT - 12)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (value - self.low) / (self.high - self.low) * (HEIGHT - BOTTOM - 10)


def _lines(frame: _Frame, points: Sequence[tuple[float, float]], colour: str) -> str:
    places = [(frame.x(a), frame.y(b)) for a, b in points]
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
    dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.4" fill="{colour}"/>' for a, b in places)
    drawn = f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
    return drawn + (dots if len(places) < 80 else "")


def _axes(frame: _Frame, log: bool, across: str) -> str:
    parts = []
    for value in np.linspace(frame.low, frame.high, 5)[1:-1]:
        y, label = frame.y(value), 10**value if log else value
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - 12}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e7e5e4"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label:.3g}</text>')
    for value, anchor in ((frame.left, "start"), (frame.right, "end")):
        parts.append(f'<text x="{frame.x(value):.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{value:.6g}</text>')
    middle = (LEFT + WIDTH - 12) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{_text(across)}</text>')
    base = HEIGHT - BOTTOM
    parts.append(f'<line x1="{LEFT}" x2="{WIDTH - 12}" y1="{base}" y2="{base}" stroke="#a8a29e"/>')
    return "".join(parts)
