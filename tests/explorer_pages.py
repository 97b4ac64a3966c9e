"""The explorer's page in node: its data, what its functions compute, and the comparison with Python's runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

import gandyn as gd
from gandyn.explorer.page import ASSETS, NUMBERS

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node")

# For each job: the state with its sliders moved, the Python lines, the runs, and the linear parts at an equilibrium.
DRIVER = """
console.log(JSON.stringify(JOB.map((job) => {
  const state = {...openingState(DATA, job.game), ...job.state};
  const game = CODE[state.game], about = DATA.games[state.game].rules, p = state.p;
  const w = nearestEquilibrium(game, p, state.start);
  const hash = writeHash(DATA, {...state, rules: state.rules.slice(0, MOST_SHOWN)});
  return {
    python: pythonLines(DATA, state), equilibrium: w, hash, again: writeHash(DATA, readHash(DATA, hash)),
    runs: state.rules.map((k) => runRule(game.steps[k], game.starts[k](game.project(state.start, p), p, state.q[k]),
      about[k].counters, stepsOf(DATA, state, k), p, state.q[k], state.start.length).points),
    parts: state.rules.map((k) =>
      w && linearPart(game.steps[k], game.starts[k], about[k].counters, w, p, state.q[k])),
  };
})));
"""


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page.html, re.DOTALL)[1])


def in_node(page, script, job):
    """What a script prints as JSON that has the page's data, functions, numerics and state, but no page."""
    code = re.search(r'<script id="code">\n("use strict".*?)</script>', page.html, re.DOTALL)[1]
    parts = [code, f"const DATA = {json.dumps(data_of(page))};"]
    parts += [(ASSETS / name).read_text(encoding="utf-8") for name in (*NUMBERS, "state.js")]
    parts.append("takeCost(DATA, CODE, OWN, null);")
    source = "\n".join([*parts, f"const JOB = {json.dumps(job)};", script])
    run = subprocess.run(["node", "-"], input=source, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout)


def moved(page, game, seed, rules=None):
    """A state with every slider away from where it stood."""
    data, rng = data_of(page), np.random.default_rng(seed)

    def somewhere(s):
        if s["logarithmic"]:
            return float(np.round(np.exp(rng.uniform(np.log(0.03), np.log(0.25))), 4))
        low, high = max(s["low"], s["value"] - 0.5), min(s["high"], s["value"] + 0.5)
        return float(np.round(rng.uniform(low, high), 4))

    offered = [k for k, rule in enumerate(data["games"][game]["rules"]) if "why" not in rule]
    return {
        "game": game,
        "state": {
            "rules": offered if rules is None else rules, "steps": 12,
            "p": [somewhere(s) for s in data["games"][game]["sliders"]],
            "q": [[somewhere(s) for s in rule["sliders"]] for rule in data["rules"]],
        },
    }  # fmt: skip


def agree(answer, every=1):
    """The runs of the page and of the Python lines that it hands out, and its eigenvalues and `gd.linearize`'s."""
    lines = answer["python"].replace("start, count)", 'start, count, kernel="eager")').splitlines()
    names = {}
    exec("\n".join(line for line in lines if ".save(" not in line), names)
    compared = 0
    for rule, run, points, part in zip(names["rules"], names["runs"], answer["runs"], answer["parts"], strict=True):
        expected, got = run.w[: len(points)], np.array(points)
        kept = np.abs(expected).max(axis=1) < 1e4
        nudged = gd.iterate(names["game"], rule, run.w[0] * (1 + 1e-14) + 1e-16, run.steps, kernel="eager").w
        allowed = 1e-9 * (1 + np.abs(expected)) + 100 * np.abs(nudged[: len(points)] - expected)
        assert (np.abs(got - expected) <= allowed)[kept].all(), (names["game"].name, rule)
        if part and "values" in part and len(rule.name) % every == 0:
            linear = gd.linearize(names["game"], rule, at=answer["equilibrium"])
            oracle = np.asarray(linear.eigenvalues)
            found = np.array(part["values"]) @ [1, 1j]
            for z in oracle:  # defective eigenvalues are known to the square root of what the entries are
                assert np.abs(found - z).min() < 2e-4 * (1 + abs(z)), (names["game"].name, rule, found, oracle)
            assert part["radius"] == pytest.approx(np.abs(oracle).max(), abs=2e-5)
            compared += 1
    assert answer["again"] == answer["hash"]
    return compared
