"""The explorer in headless Chromium: every control does what it says, nothing is asked for, nothing goes wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest
from explorer_pages import agree, moved
from headless import CHROMIUM, browser

import gandyn as gd

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium"),
]
SHOWN = ("Bilinear, v = ab", "Dirac-GAN, minimax loss", "Quadratic", "Forsaken")
DRIVE = """
(() => {
  state = {...openingState(DATA, JOB.game), ...JOB.state};
  const game = CODE[state.game], about = DATA.games[state.game].rules, p = state.p;
  const w = nearestEquilibrium(game, p, state.start), hash = writeHash(DATA, state);
  return JSON.stringify({
    python: pythonLines(DATA, state), equilibrium: w, hash, again: hash, runs: computed().runs.map((run) => run.points),
    parts: computed().parts,
  });
})()
"""


@pytest.fixture(scope="module")
def tab():
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The default page with fewer toys: of each kind one."""
    from gandyn.explorer.toys import toys

    kinds = {toy.name: toy for toy in toys()}
    rules = [gd.rules.GDA(0.2), gd.rules.AlternatingGD(0.2), gd.rules.Extragradient(0.2), gd.rules.OptimisticGD(0.2)]
    rules += [gd.rules.Consensus(0.2, 0.5), gd.rules.Adam(0.05)]
    path = tmp_path_factory.mktemp("page") / "page.html"
    gd.explore([kinds[name] for name in SHOWN], rules, path)
    return path.as_uri()


@pytest.fixture
def opened(tab, page):
    tab.errors.clear()
    tab.asked.clear()
    tab.open(page)
    tab.until("document.getElementById('radii').rows.length > 1")
    yield tab
    assert tab.errors == []
    assert all(address.startswith(("file:", "blob:", "data:", "about:")) for address in tab.asked)


def text(tab, identifier):
    return tab.run(f"document.getElementById({identifier!r}).textContent")


def test_predict_run_and_the_table(opened):
    assert opened.run("document.getElementById('answer').hidden")
    assert "?" in text(opened, "radii")
    opened.click("#reveal")
    opened.until("!document.getElementById('answer').hidden")
    opened.until("document.getElementById('radii').textContent.includes('1.019804')")
    assert "repels" in text(opened, "radii")
    assert opened.run("document.getElementById('reveal').getAttribute('aria-expanded')") == "true"
    opened.until("document.getElementById('announcement').textContent.includes('radius')")


def test_the_start_is_dragged_and_moved_by_keys(opened):
    opened.click("#plane", 0.75, 0.5)
    assert opened.run("state.start[0]") == pytest.approx(1.0, abs=0.05)
    assert opened.run("state.start[1]") == pytest.approx(0.0, abs=0.05)
    opened.run("document.getElementById('plane').focus()")
    before = opened.run("state.start")
    opened.press("ArrowRight")
    opened.press("ArrowUp")
    after = opened.run("state.start")
    assert np.subtract(after, before) == pytest.approx([0.1, 0.1], abs=1e-3)
    opened.until("location.hash.includes('start=')")


def test_sliders_boxes_and_links(opened):
    opened.choose("all-steps", "1000")
    assert opened.run("state.rules.every((k) => state.q[k][0] === 2)")
    opened.choose("starts", "1000")
    assert opened.run("state.starts") == 200
    opened.click("#equal")
    assert opened.run("state.equal")
    assert opened.run("stepsOf(DATA, state, 0) === 2 * stepsOf(DATA, state, 2)")
    opened.click("#rule-choice label:nth-of-type(6)")
    assert opened.run("state.rules.length") == 5
    opened.until("location.hash.includes('Adam')")
    link = opened.run("location.href")
    kept = opened.run("writeHash(DATA, state)")
    opened.click("#reset")
    assert opened.run("state.rules.length") == 4
    opened.open(link)
    assert opened.run("writeHash(DATA, state)") == kept
    opened.click("#copy-python")
    opened.until("document.getElementById('copied').textContent.length > 0")
    assert "gd.iterate" in text(opened, "python")


@pytest.mark.parametrize("kind", ["basins", "region", "bifurcation"])
def test_pictures_on_demand_are_pythons(opened, kind):
    game = {"basins": 2, "region": 2, "bifurcation": 3}[kind]
    opened.choose("game", str(game))
    opened.choose("map-kind", kind)
    opened.choose("map-rule", "3")
    if kind == "region":
        opened.choose("map-y", "game.b")
    opened.until(f"document.getElementById('map').dataset.rows === '{100}'")
    assert "computed in" in text(opened, "map-status")
    rows = json.loads(opened.run("JSON.stringify(mapRun.rows)"))
    job = json.loads(opened.run("JSON.stringify(mapRun.job)"))
    rng = np.random.default_rng(0)
    for i, j in rng.integers(0, 100, (4, 2)):
        s, t = (i + 0.5) / 100, (j + 0.5) / 100
        x, y = (job["axes"] + [None, None])[:2]
        if kind == "basins":
            left, right, bottom, top = job["box"]
            start = [left + s * (right - left), bottom + t * (top - bottom)]
            end = gd.iterate(gd.games.quadratic(1, 1, 1), gd.rules.OptimisticGD(0.2), start, 1000, record="last").w
            assert (rows[j][i] == 0) == (np.linalg.norm(end) < 1e-3)
        elif kind == "region":
            lr, b = x["low"] * (x["high"] / x["low"]) ** s, y["low"] + t * (y["high"] - y["low"])
            rule = gd.rules.OptimisticGD(lr)
            radius = gd.linearize(gd.games.quadratic(1, b, 1), rule, at=[0, 0]).spectral_radius
            assert rows[j][i] == pytest.approx(radius, abs=1e-5)
        else:
            lr = x["low"] * (x["high"] / x["low"]) ** s
            run = gd.iterate(gd.games.forsaken(), gd.rules.OptimisticGD(lr), job["start"], 1060)
            inside = np.abs(run.w).max() < 20 * job["box"][1]
            assert (len(rows[i]) == 61) == bool(inside)
            if inside and lr < 0.1:
                assert rows[i] == pytest.approx(run.w[1000:, 0].tolist(), abs=1e-6)
    if kind == "region":
        opened.click("#map", 0.5, 0.5)
        assert opened.run("along(mapRun.job.axes[0])") == pytest.approx(0.5, abs=0.05)


def test_a_typed_cost_is_used_or_refused_in_words(opened):
    opened.choose("game", "4")
    opened.run("document.getElementById('cost').value = 'x^2*y'")
    opened.click("#own button")
    assert text(opened, "cost-error") == "a power is written **"
    opened.run("document.getElementById('cost').value = 'x*y + k*tanh(x)**2/2'")
    opened.click("#own button")
    assert text(opened, "cost-error") == ""
    opened.until("document.getElementById('p0') !== null")
    opened.choose("map-kind", "basins")
    opened.until("document.getElementById('map').dataset.rows === '100'")
    opened.until("location.hash.includes('tanh')")
    job = {"game": 4, "state": {"rules": [0, 1, 2, 3], "steps": 12, "p": [0.4], "q": moved_numbers(opened)}}
    answer = json.loads(opened.run(DRIVE.replace("JOB", json.dumps(job))))
    assert agree(answer) >= 3


def moved_numbers(tab):
    return json.loads(tab.run("JSON.stringify(DATA.rules.map((r) => r.sliders.map((s) => s.value)))"))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1400, 400])
def test_the_page_fits_and_its_text_is_legible(tab, page, width, dark):
    tab.errors.clear()
    tab.open(page, width=width, dark=dark)
    tab.until("document.getElementById('radii').rows.length > 1")
    assert tab.run("document.documentElement.scrollWidth <= window.innerWidth")
    paper, ink = (tab.run(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color"))
    tones = [sum(int(c) for c in tone[4:-1].split(",")) for tone in (paper, ink)]
    assert (tones[0] < tones[1]) == dark
    assert abs(tones[0] - tones[1]) > 400
    unnamed = """[...document.querySelectorAll('input, select, button, canvas')].filter((e) => e.offsetParent &&
      !e.labels?.length && !e.getAttribute('aria-label') && !e.textContent.trim() && !e.closest('label')).length"""
    assert tab.run(unnamed) == 0
    assert tab.errors == []


def test_five_rules_from_two_hundred_starts_are_all_drawn(opened):
    """A frame computes what it has time for, and the frames after it the rest."""
    opened.click("#rule-choice label:nth-of-type(5)")
    opened.choose("starts", "1000")
    opened.until("(() => { const s = computed(); return s.cloud.flat().length + s.runs.length; })() === 5 * 200")
    opened.choose("steps", "500")
    assert opened.run("computed().cloud.flat()[0].length") != 61  # nothing of the runs before is kept
    opened.until("(() => { const s = computed(); return s.cloud.flat().length + s.runs.length; })() === 5 * 200")


def test_the_time_of_a_frame_is_for_all_that_it_computes(opened):
    """On a clock that the flow moves by 5 ms and each projection by 1 ms, 8 ms are over at the second other start."""
    members = """(() => {
      const game = CODE[state.game], project = game.project, flow = runFlow, now = performance.now;
      let clock = 0;
      performance.now = () => clock;
      runFlow = (field, _, ...rest) => { clock += 5; return flow(field, project, ...rest); };
      game.project = (...given) => { clock += 1; return project(...given); };
      try {
        state.starts = 200;
        state.start[0] += 1e-3;
        clock = -1;  // the first start and the equilibrium are projected, too
        return computed().cloud[0].length;
      } finally { runFlow = flow; game.project = project; performance.now = now; }
    })()"""
    assert opened.run(members) == 2


@pytest.mark.parametrize("part", range(3))
def test_every_toy_and_rule_runs_in_the_browser_as_in_python(tab, whole, part):
    page, address = whole
    tab.errors.clear()
    tab.open(address)
    for game in range(part, len(page.games), 3):
        job = moved(page, game, game)
        answer = json.loads(tab.run(DRIVE.replace("JOB", json.dumps(job))))
        assert agree(answer, every=3) >= 1
    assert tab.errors == []


def test_a_mixture_is_moved_in_data_space(tab, whole):
    page, address = whole
    tab.errors.clear()
    tab.open(address)
    tab.choose("game", str(page.games.index("Mixture of two modes, in data space")))
    tab.click("#reveal")
    tab.until("document.getElementById('radii').textContent.includes('0.980379')")
    tab.click("#plane", 0.55, 0.75)  # nearer to the second mean
    moved_to = tab.run("state.start")
    assert moved_to[:2] == [0.4, 1.2]
    assert moved_to[2:4] == pytest.approx([0.3, -1.5], abs=0.05)
    tab.press("ArrowRight")
    assert tab.run("state.start[2]") == pytest.approx(moved_to[2] + 0.15, abs=1e-3)
    game, w = gd.games.mixture_game(), np.array([0.4, 1.2, -0.3, -1.0, 0.5, -1.0, 0.25, 2.0])
    points = np.array([[0.3, 0.2], [-1.5, 0.5]])
    for code, expected in (("logitOf", game.discriminator), ("pullOf", game.discriminator_gradient)):
        at = f"{code}(DATA.games[state.game], {w.tolist()})"
        found = tab.run(f"{points.tolist()}.map({at})")
        sign = -1 if code == "pullOf" else 1  # arrows are drawn along minus a field
        np.testing.assert_allclose(found, sign * expected(w, points), rtol=1e-12)
    assert tab.errors == []


def test_noise_and_play(opened):
    opened.choose("noise", "200")
    assert opened.run("state.noise") == 0.2
    first = opened.run("computed().runs[0].points[5]")
    opened.click("#draw-again")
    assert opened.run("computed().runs[0].points[5]") != first
    opened.click("#play")
    opened.until("progress < 1 && progress > 0")
    opened.until("progress === 1")
    opened.until("location.hash.includes('noise=0.2') && location.hash.includes('draw=1')")
