"""Catalogue pages from the registries: a rule, game, loss or penalty appears in the docs because it exists.

In a Markdown page, the block ```` ```{catalogue} KIND ARGUMENT ``` ```` is replaced, before the page is parsed, by what
`describe_rules`, `describe_games`, ... write; everything in it is asked of the objects themselves. A block
```` ```{picture} CAPTION ``` ```` holds code that makes `figure`; it becomes the picture, and the code below it.
"""

from __future__ import annotations

import hashlib
import pathlib
import re
from collections.abc import Callable
from typing import Any

import describe_ablations
import describe_claims
import describe_comparison
import describe_figures
import describe_games
import describe_gans
import describe_losses
import describe_noise
import describe_papers
import describe_prediction
import describe_reference
import describe_results
import describe_rules
import describe_speed
import describe_sweeps
import markdown
import pictures
from sphinx.errors import ExtensionError

BLOCK = re.compile(r"^```\{catalogue\} (?P<words>[^\n]+)\n```$", re.MULTILINE)
PICTURE = re.compile(r"^```\{picture\} (?P<caption>[^\n]+)\n(?P<code>.*?)\n```$", re.MULTILINE | re.DOTALL)
WRITERS: dict[str, Callable[..., list[str]]] = {
    "rules": describe_rules.table,
    "rule-family": describe_rules.family,
    "rule-pages": describe_rules.pages,
    "rules-without-page": describe_rules.without_page,
    "games": describe_games.table,
    "game-pages": describe_games.pages,
    "losses": describe_losses.losses,
    "loss-table": describe_losses.table,
    "loss-shapes": describe_losses.shapes,
    "penalties": describe_losses.penalties,
    "gan-table": describe_gans.table,
    "gan-entries": describe_gans.entries,
    "gan-class": describe_gans.named_class,
    "gan-sizes": describe_gans.sizes,
    "measured-on": describe_results.honest(describe_results.measured_on),
    "gan-comparison": describe_results.honest(describe_comparison.comparison),
    "gan-comparison-settled": describe_results.honest(describe_comparison.settled),
    "gan-comparison-tuning": describe_results.honest(describe_comparison.tuning),
    "gan-comparison-picture": describe_results.honest(describe_comparison.picture),
    "sweep-table": describe_results.honest(describe_sweeps.sweep),
    "sweep-picture": describe_results.honest(describe_sweeps.sweep_picture),
    "sweep-seeds": describe_results.honest(describe_sweeps.sweep_seeds),
    "network-effects": describe_results.honest(describe_sweeps.effects),
    "regimes": describe_results.honest(describe_sweeps.regimes),
    "regimes-picture": describe_results.honest(describe_sweeps.regimes_picture),
    "ring-runs": describe_results.honest(describe_results.ring_runs),
    "digits-run": describe_results.honest(describe_results.digits_run),
    "speed": describe_results.honest(describe_speed.table),
    "toys": describe_results.honest(describe_speed.toys),
    "digits-by-hand": describe_results.honest(describe_results.digits_by_hand),
    "digits-spectrum": describe_results.honest(describe_results.digits_spectrum),
    "ablation": describe_results.honest(describe_ablations.ablation),
    "prediction": describe_results.honest(describe_prediction.prediction),
    "prediction-points": describe_results.honest(describe_prediction.points),
    "noise-of-gans": describe_results.honest(describe_noise.agreement),
    "noise-during-training": describe_results.honest(describe_noise.during_training),
    "noise-map": describe_results.honest(describe_noise.map_picture),
    "mutants": describe_results.honest(describe_results.mutants),
    "claim-totals": describe_claims.totals,
    "claims": describe_claims.table,
    "claim-lore": describe_claims.lore,
    "errors": describe_reference.errors,
    "papers": describe_papers.table,
    "analyze-json": describe_reference.analyze_json,
    "figure-pages": describe_figures.pages,
    "reference-pages": describe_reference.pages,
}


def expand(text: str) -> str:
    """The page with every catalogue block written out."""

    def write(match: re.Match[str]) -> str:
        kind, *arguments = match["words"].split()
        if kind not in WRITERS:
            raise ExtensionError(f"there is no catalogue of {kind!r}; there are {', '.join(WRITERS)}")
        return "\n".join(WRITERS[kind](*arguments))

    return PICTURE.sub(_picture, BLOCK.sub(write, text))


def _picture(match: re.Match[str]) -> str:
    """Run the block, which makes `figure`; show the picture and the code that drew it."""
    code, caption = match["code"], match["caption"]
    name = f"code-{hashlib.sha256(code.encode()).hexdigest()[:12]}"
    plain = re.sub(r"[`$]", "", caption)
    lines = markdown.figure(pictures.keep(name, lambda: _run(code)), plain, caption)
    return "\n".join([*lines, "```python", code, "```"])


def _run(code: str) -> Any:
    names: dict[str, Any] = {}
    exec(code, names)
    return names["figure"]


def on_source_read(app: Any, page: str, source: list[str]) -> None:
    """Sphinx hands over each page's text in a list of one."""
    source[0] = expand(source[0])


def write_pages(app: Any) -> None:
    """Pages that exist only because something is registered: one for each family of games, room and figure."""
    folder = pathlib.Path(app.srcdir) / "generated"
    writers = (describe_games, describe_reference, describe_figures)
    wanted = {name: text for writer in writers for name, text in writer.generated_pages().items()}
    for name, text in wanted.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in folder.rglob("*.md"):
        if str(path.relative_to(folder)) not in wanted:
            path.unlink()


def always_outdated(app: Any, env: Any, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """Pages with catalogue blocks are read at every build: what they show depends on the package, not on the page."""
    return [name for name in env.found_docs if _is_live(pathlib.Path(env.doc2path(name)).read_text("utf-8"))]


def _is_live(text: str) -> bool:
    return bool(BLOCK.search(text) or PICTURE.search(text))


def setup(app: Any) -> dict[str, Any]:
    """Connect."""
    app.connect("builder-inited", write_pages)
    app.connect("source-read", lambda *arguments: on_source_read(*arguments))
    app.connect("env-get-outdated", always_outdated)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
