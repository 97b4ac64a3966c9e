"""What a frame of the explorer costs while the start of five rules from 200 starts is dragged, in headless Chromium.

Run `python benchmarks/explorer_frames.py` from the repository root; it writes `results/explorer_frames.json`: for each
game the processor time of the page's scripts per frame, with and without the calls that draw, and how many frames it
takes until all starts are there. Times are those of the page's thread, whatever else the machine does.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rounds import environment

import gandyn as gd

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT.parent / "tests"))
from headless import browser  # noqa: E402

FRAMES = 60
DRAWING = "moveTo lineTo stroke fill arc beginPath fillRect fillText drawImage strokeRect rect setLineDash"
CHOOSE = """(() => { shown = true; state.starts = 200;
  const rules = DATA.games[state.game].rules;
  state.rules = rules.map((_, k) => k).filter((k) => !rules[k].why).slice(0, 5);
  buildAll(); return new Promise((end) => setTimeout(end, 1000)); })()"""
DRAG = """(async () => { const first = state.start.slice();
  for (let k = 0; k < FRAMES; k++) {
    const turn = 2 * Math.PI * k / FRAMES, off = [0.1 * Math.cos(turn), 0.1 * Math.sin(turn)];
    state.start = first.map((x, j) => Number((x + (off[j] || 0)).toPrecision(4)));
    redraw(); await new Promise(requestAnimationFrame); } })()"""
ARRIVE = """(async () => { state.start[0] += 0.01; redraw(); let frames = 0;
  const wanted = aroundOf(state.start, state.starts, 1).length;
  do { await new Promise(requestAnimationFrame); frames++; } while (cloudSoFar.members.length < wanted);
  return frames; })()"""


def spent(tab: Any) -> float:
    """Milliseconds of the thread in scripts so far."""
    found = tab.call("Performance.getMetrics")["metrics"]
    return 1e3 * next(entry["value"] for entry in found if entry["name"] == "ScriptDuration")


def measured(tab: Any, address: str, draws: bool) -> dict[str, dict[str, float]]:
    """Per game: milliseconds a frame, and frames until all starts are there."""
    tab.open(address)
    tab.until("document.getElementById('radii').rows.length > 1")
    if not draws:
        tab.run(f"for (const n of {DRAWING.split()}) CanvasRenderingContext2D.prototype[n] = () => {{}}")
    found = {}
    for k, game in enumerate(json.loads(tab.run("JSON.stringify(DATA.games.map((game) => game.id))"))):
        tab.choose("game", str(k))
        tab.run(CHOOSE)
        tab.run(DRAG.replace("FRAMES", str(FRAMES)))
        before = spent(tab)
        tab.run(DRAG.replace("FRAMES", str(FRAMES)))
        found[game] = {"ms": round((spent(tab) - before) / FRAMES, 2), "frames": tab.run(ARRIVE)}
    return found


if __name__ == "__main__":
    result, began = environment(0), time.process_time()
    with tempfile.TemporaryDirectory() as folder, browser() as tab:
        gd.explore(out=Path(folder) / "page.html")
        tab.call("Performance.enable", timeDomain="threadTicks")
        result["chromium"] = tab.call("Browser.getVersion")["product"]
        for name, draws in (("scripts", False), ("with_drawing", True)):
            result[name] = measured(tab, (Path(folder) / "page.html").as_uri(), draws)
    result["seconds"] = round(time.process_time() - began, 1)
    (ROOT / "results" / "explorer_frames.json").write_text(json.dumps(result, indent=1) + "\n")
    for game, row in result["scripts"].items():
        drawn = result["with_drawing"][game]["ms"]
        print(f"{game:38s} {row['ms']:6.2f} ms, {drawn:6.2f} ms with drawing, {row['frames']} frames")
