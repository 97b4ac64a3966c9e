"""Make one figure: data (unless they are there already), its expected numbers, and the picture as PDF, SVG and PNG."""

from __future__ import annotations

import dataclasses
import io
import os
import pathlib
import textwrap
import time
import traceback
from collections.abc import Mapping
from typing import Any

from ..errors import OutputError, refuse_unknown, writing
from ..gans.training.untrusted_files import write_atomically
from ..results import Result
from . import parts, store
from .catalogue import PaperFigure, find
from .expected import Checked, Outcome, check, effects, outcome, verdict
from .keys import data_key, picture_key

STYLES = ("single", "double", "slide")
DEFAULT_STYLE = "double"
KINDS = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": None}


@dataclasses.dataclass(frozen=True, repr=False)
class Made(Result):
    """What became of one figure.

    Attributes:
        name: the figure's. quick, style: as asked for.
        checks: the expected numbers beside those found. effects: what the paper shows beside what was found.
        computed, drawn: False where what was there already was up to date.
        seconds: spent now. paths: of the files, by kind. error: why it failed, a traceback; "" where it did not.
        verdict: the outcome in words, with seeds, gradients and settings.
    """

    name: str
    quick: bool
    style: str
    checks: tuple[Checked, ...] = ()
    computed: bool = False
    drawn: bool = False
    seconds: float = 0.0
    paths: Mapping[str, str] = dataclasses.field(default_factory=dict)
    error: str = ""
    effects: tuple[Checked, ...] = ()
    verdict: str = ""

    @property
    def outcome(self) -> Outcome:
        """One of the seven verdicts: five answers, a wrong number, or failed."""
        return Outcome.FAILED if self.error else outcome((*self.checks, *self.effects))

    @property
    def ok(self) -> bool:
        """Made, and no number is wrong; an effect of the paper need not have been seen (`outcome`)."""
        return self.outcome not in (Outcome.WRONG, Outcome.FAILED)

    @property
    def headline(self) -> str:
        """One line: what was done, how many numbers are as expected, and how many of the paper's effects are seen."""
        if self.error:
            return f"{self.name}: failed: {self.error.strip().splitlines()[-1]}"
        what = "computed" if self.computed else "drawn" if self.drawn else "up to date"
        good = sum(one.holds for one in self.checks)
        told = f"{good} of {len(self.checks)} numbers as expected"
        if self.effects:
            told += f", {sum(one.holds for one in self.effects)} of {len(self.effects)} effects seen"
        return f"{self.name}: {what}, {told}, {self.seconds:.1f} s; {self.verdict or self.outcome}"

    def summary(self) -> str:
        """The headline, each number, and where the files are; or the traceback."""
        if self.error:
            return f"{self.headline}\n{self.error.rstrip()}"
        lines = [self.headline, *(f"  {one.summary()}" for one in (*self.checks, *self.effects))]
        return "\n".join([*lines, *(f"  wrote {path}" for path in self.paths.values())])

    def _contents(self) -> dict[str, Any]:
        return super()._contents() | {"outcome": self.outcome, "ok": self.ok}


def make(
    figure: str | PaperFigure,
    quick: bool = False,
    style: str = DEFAULT_STYLE,
    out: str | os.PathLike[str] = "figures",
    force: bool = False,
    source: str | os.PathLike[str] | None = None,
) -> Made:
    """Make a figure in a folder: `NAME.npz`, `NAME.json`, `NAME.pdf`, `NAME.svg`, `NAME.png`.

    Quick settings put "-quick" after the name, another style than "double" the style after that: they overwrite
    nothing. What is there and still up to date is kept. Every file appears whole or not at all.

    Args:
        figure: a name, or a loaded figure.
        quick: seconds instead of the full settings.
        style: "single" (one column), "double" or "slide".
        out: the folder; created where it is not there.
        force: compute again in any case.
        source: a folder of figures other than gandyn's own.

    Returns:
        A `Made`. A figure whose `compute` or `draw` raises is no exception here: `.error` holds the traceback.

    Raises:
        UnknownNameError: for an unknown figure or style. ParameterError: for a file that is not a figure.
        OutputError: where nothing can be written.
    """
    refuse_unknown("style", style, STYLES)
    one = find(figure, source) if isinstance(figure, str) else figure
    stem = prepared(out) / (one.name + ("-quick" if quick else ""))
    began = time.perf_counter()
    made = Made(one.name, quick, style)
    try:
        data, computed = _data(one, quick, stem, force)
        checks = check(one.expected, data, quick)
        seen = effects(one.expected, data)
        paths, drawn = _pictures(one, quick, style, stem, data, (*checks, *seen), computed)
    except OutputError:
        raise
    except Exception:
        return dataclasses.replace(made, error=traceback.format_exc(), seconds=time.perf_counter() - began)
    seconds = time.perf_counter() - began
    told = verdict((*checks, *seen), data)
    return Made(one.name, quick, style, checks, computed, drawn, seconds, paths, effects=seen, verdict=told)


def prepared(out: str | os.PathLike[str]) -> pathlib.Path:
    """The folder, created where it is not there. Raises OutputError where it cannot be."""
    path = pathlib.Path(out)
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def _data(one: PaperFigure, quick: bool, stem: pathlib.Path, force: bool) -> tuple[dict[str, Any], bool]:
    """(data as they are on disk, whether they were computed now)."""
    key = data_key(one, quick)
    known = None if force else store.read(stem, key)
    if known is not None:
        return known, False
    began = time.perf_counter()
    if force:
        parts.drop(stem)
    with parts.keeping(stem, key) as place:
        data = parts.whole(lambda: one.compute(quick))
    about = {
        "figure": one.to_dict(),
        "quick": quick,
        "seconds": round(time.perf_counter() - began + place.seconds, 3),
        "device": str(data.get("device", "cpu")),
        **store.made_by(one.path.parent),
    }
    store.write(stem, key, data, about)
    known = store.read(stem, key)
    if known is None:
        raise OutputError(f"{stem.name}.npz cannot be read back", "one process at a time for one figure", "try again")
    parts.drop(stem)
    return known, True


def _pictures(
    one: PaperFigure, quick: bool, style: str, stem: pathlib.Path, data: dict[str, object], checks: tuple[Checked, ...],
    computed: bool,
) -> tuple[dict[str, str], bool]:  # fmt: skip
    """(all files, whether the picture was drawn now); the record says last what is up to date."""
    drawn_stem = stem if style == DEFAULT_STYLE else stem.with_name(f"{stem.name}-{style}")
    files = {kind: store.with_suffix(drawn_stem, f".{kind}") for kind in KINDS}
    record, key = store.read_record(stem), picture_key(one, quick, style)
    pictures = {} if computed else dict(record.get("pictures", {}))
    drawn = pictures.get(style) != key or not all(path.is_file() for path in files.values())
    if drawn:
        for kind, content in render(one, data, style, verdict(checks, data)).items():
            write_atomically(files[kind], content)
    told = {"outcome": str(outcome(checks)), "verdict": verdict(checks, data)}
    numbers = {"expected": [c.to_dict() for c in checks], **told}
    fresh = {**record, **numbers, "pictures": {**pictures, style: key}}
    if fresh != record:
        store.write_record(stem, fresh)
    files |= {kind: store.with_suffix(stem, f".{kind}") for kind in ("npz", "json")}
    return {kind: str(path) for kind, path in files.items()}, drawn


def picture(one: PaperFigure, data: Mapping[str, object], style: str, told: str) -> Any:
    """The figure as it is drawn in a style, with its verdict at the top."""
    from ..plots.style import house_style

    with house_style(style):
        figure = one.draw(data)
        figure.suptitle(textwrap.fill(told, 62 if style == "single" else 110), fontsize="small", style="italic")
    return figure


def render(
    one: PaperFigure, data: Mapping[str, object], style: str = DEFAULT_STYLE, told: str = ""
) -> dict[str, bytes]:
    """The picture as PDF, SVG and PNG, with embedded fonts and without dates; `told` is its verdict."""
    from ..plots.style import house_style

    files = {}
    with house_style(style):
        figure = picture(one, data, style, told)
        for kind, metadata in KINDS.items():
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, metadata=metadata, dpi=300)
            files[kind] = buffer.getvalue()
    return files
