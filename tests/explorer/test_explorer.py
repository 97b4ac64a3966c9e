"""The explorer's page: its numbers against Python's, its form, what it refuses, and that nothing in it reaches out."""

from __future__ import annotations

import html.parser
import re

import numpy as np
import pytest
import sympy
from explorer_pages import DRIVER, agree, data_of, in_node, moved, needs_node
from headless import CHROMIUM
from typer.testing import CliRunner

import gandyn as gd
from gandyn.cli import app
from gandyn.errors import DomainError, GandynError, OutputError, ParameterError, UnknownNameError
from gandyn.explorer.page import MOST_BYTES
from gandyn.explorer.sliders import turned_entry, turned_rule
from gandyn.explorer.toys import Toy


@pytest.fixture(scope="module")
def small():
    """Two games of different kinds, with rules with memory, step counts and inner rules."""
    rules = [gd.rules.GDA(0.2), gd.rules.OptimisticGD((0.1, 0.2)), gd.rules.HeavyBall(0.2, -0.3), gd.rules.Adam(0.05)]
    rules += [gd.rules.Lookahead(gd.rules.AlternatingGD(0.3), k=2), gd.rules.Anchored(0.2)]
    x, y, k = sympy.symbols("x y k", real=True)
    own = gd.games.from_sympy(x * y + k * sympy.tanh(x) ** 2, [x, y], name="</script><script>alert(1)</script>")
    return gd.explore(["dirac_gan", own], rules)


@needs_node
def test_runs_and_eigenvalues_are_pythons(small):
    for answer in in_node(small, DRIVER, [moved(small, 0, 1), moved(small, 1, 2)]):
        assert agree(answer) >= 4


@needs_node
def test_noise_is_one_draw_a_step_added_to_the_field(small):
    script = """
    const rule = CODE[0].steps[0], [w, p, q, e] = JOB, size = 0.5, all = noiseOf(size, 3, 20000, 2).flat();
    const mean = (xs) => xs.reduce((a, b) => a + b) / xs.length;
    console.log(JSON.stringify({
      quiet: rule(w, [], p, q, QUIET), noisy: rule(w, [], p, q, e),
      mean: mean(all), square: mean(all.map((x) => x * x)),
      lagged: mean(all.slice(2).map((x, k) => x * all[k])), again: noiseOf(size, 3, 2, 2)[1][1] === all[3],
    }));
    """
    found = in_node(small, script, [[0.4, 0.7], [], [0.2], [0.3, -0.5]])
    assert np.subtract(found["noisy"], found["quiet"]) == pytest.approx([-0.06, 0.1], abs=1e-14)
    assert found["again"]
    assert (found["mean"], found["lagged"]) == pytest.approx((0, 0), abs=0.01)
    assert found["square"] == pytest.approx(0.25, rel=0.03)


@needs_node
@pytest.mark.slow
def test_a_long_noisy_run_spreads_as_gd_stationary_says():
    """Extragradient evaluates twice a step: with one draw for both its spread differs from that of fresh draws."""
    game, rule = gd.games.quadratic(1, 1, 1), gd.rules.Extragradient(0.3)
    script = """
    const run = runRule(CODE[0].steps[0], [0, 0], [], 200000, JOB[0], JOB[1], 2, FAR, noiseOf(0.1, 0, 200000, 2));
    console.log(JSON.stringify([0, 1].map((i) => run.points.reduce((s, w) => s + w[i] ** 2, 0) / run.points.length)));
    """
    found = in_node(gd.explore("quadratic", rule), script, [[1, 1, 1], [0.3]])
    expected = np.diag(gd.stationary(game, rule, noise=0.01).covariance)
    assert found == pytest.approx(expected.tolist(), rel=0.03)


@needs_node
def test_the_eigenvalue_solver_against_numpy(small):
    rng = np.random.default_rng(0)
    matrices = [rng.normal(size=(n, n)) for n in (1, 2, 3, 4, 5, 8) for _ in range(5)]
    matrices += [np.zeros((3, 3)), np.eye(4), np.diag([1.0, 1, 2]), np.array([[0.0, -1], [1, 0]]), np.ones((4, 4))]
    matrices += [np.roll(np.eye(6), 1, axis=0), np.kron([[0, 1], [-1, 0]], np.eye(3)), 1e-9 * rng.normal(size=(4, 4))]
    answer = in_node(small, "console.log(JSON.stringify(JOB.map(eigenvalues)));", [m.tolist() for m in matrices])
    for matrix, found in zip(matrices, answer, strict=True):
        got, expected = np.array(found) @ [1, 1j], np.linalg.eigvals(matrix)
        scale = np.abs(matrix).max() + 1e-300
        for one, others in ((got, expected), (expected, got)):
            assert all(np.abs(others - z).min() < 1e-9 * scale for z in one)
        assert got.sum() == pytest.approx(np.trace(matrix), abs=1e-12 * scale * len(matrix))


@needs_node
def test_a_link_can_only_name_what_is_on_the_page(small):
    script = """
    console.log(JSON.stringify(JOB.map((text) => readHash(DATA, text))));
    """
    wrong = ["game=<script>&start=1,2,3&steps=1e9", "start=alert(1),2&rules=x|y&SimultaneousGD.lr=Infinity", "%E0%A4%A"]
    right = "game=Dirac-GAN&start=3,-1&steps=7&SimultaneousGD.lr=0.3&HeavyBall.momentum=99"
    *refused, taken = in_node(small, script, [*wrong, right])
    for state in refused:
        assert state["game"] == 0
        assert state["q"][0] == [0.2]
        assert all(isinstance(x, (int, float)) for x in state["start"])
    assert refused[0]["steps"] == 2000
    assert (taken["start"], taken["steps"], taken["q"][0], taken["q"][2]) == ([3, -1], 7, [0.3], [0.2, 1])


@needs_node
@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is not None, reason="the same is done in Chromium")
@pytest.mark.parametrize("part", range(4))
def test_every_toy_and_rule_of_the_page_runs_as_in_python(whole, part):
    page, _ = whole
    chosen = range(part, len(page.games), 4)
    answers = in_node(page, DRIVER, [moved(whole, k, k) for k in chosen])
    assert sum(agree(answer, every=3) for answer in answers) >= 2 * len(answers)


@pytest.mark.slow
def test_the_whole_page_is_small_and_every_toy_asks_and_answers(whole):
    page, _ = whole
    assert len(page.html.encode()) < MOST_BYTES
    assert all(game["question"] and game["answer"] for game in data_of(page)["games"] if not game.get("own"))
    assert not [why for _, _, why in page.missing if "Error" in why]


# --- the form of the page ---------------------------------------------------------------------------------------------


class Outline(html.parser.HTMLParser):
    """Tags that are opened and closed in turn, ids, and what attributes refer to."""

    void = frozenset({"meta", "link", "input", "br"})

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.references, self.addresses, self.mistakes = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.void:
            self.open.append(tag)
        for name, value in attrs:
            self.ids += [value] if name == "id" else []
            self.references += value.split() if name.startswith("aria-") and name[5:] in LINKS else []
            self.references += [value] if name == "for" else []
            self.addresses += [value] if name in ("src", "href") else []

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.mistakes.append(tag)


LINKS = ("labelledby", "describedby", "controls")


def test_the_page_is_whole_and_needs_nothing_else(small):
    outline = Outline()
    outline.feed(small.html)
    assert outline.open == []
    assert outline.mistakes == []
    assert len(set(outline.ids)) == len(outline.ids)
    assert set(outline.references) <= set(outline.ids)
    assert outline.addresses == ["data:,"]
    assert not re.search(r"https?:|//cdn|@import|url\(|fetch\(|XMLHttp|\beval\b|new Function|innerHTML", small.html)
    assert small.html.startswith("<!DOCTYPE html>")
    assert "prefers-color-scheme" in small.html
    assert "alert(1)" in data_of(small)["games"][1]["id"]
    assert "<script>alert" not in small.html
    assert len(small.html.encode()) < 200_000


def test_a_page_is_shown_in_a_notebook_and_saved(small, tmp_path):
    assert small._repr_html_().startswith("<iframe title=")
    assert "<script" not in small._repr_html_()
    assert repr(small).startswith("<ExplorerPage 2 games, 6 rules")
    assert small.save(tmp_path / "page.html").read_text(encoding="utf-8") == small.html


# --- sliders ----------------------------------------------------------------------------------------------------------


def test_numbers_are_freed_where_the_builder_takes_them():
    turned = turned_entry(gd.games.registry["dirac_gan"], {"penalty": gd.penalties.R1(0.3)})
    assert [(s.name, s.value) for s in turned.sliders] == [("gamma", 0.3)]
    assert turned_entry(gd.games.registry["follow_the_ridge"], {"function": 2}).sliders == ()  # a choice, not a number
    rule = turned_rule(gd.games.bilinear(), gd.rules.Lookahead(gd.rules.GDA((0.1, 0.4)), 3))
    assert [s.name for s in rule.sliders] == ["alpha", "lr"]
    assert rule.plain == gd.rules.Lookahead(gd.rules.GDA((0.1, 0.4)), 3)
    assert all(s.low <= s.value <= s.high for s in rule.sliders)


def test_parameters_of_one_name_in_game_and_rule_are_two():
    x, y, lr = sympy.symbols("x y lr", real=True)
    page = gd.explore(gd.games.from_sympy(lr * x * y, [x, y]), gd.rules.GDA("lr"))
    (game, _), (rule,) = data_of(page)["games"], data_of(page)["rules"]
    assert ([s["name"] for s in game["sliders"]], [s["name"] for s in rule["sliders"]]) == (["lr"], ["lr"])
    assert "= p[0]" in page.html
    assert "= q[0]" in page.html


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((gd.games.matching_pennies(),), DomainError),
        ((gd.games.stochastic_bilinear(),), DomainError),
        (("no such game",), UnknownNameError),
        ((3,), ParameterError),
        (([],), ParameterError),
        ((gd.games.bilinear,), ParameterError),
        (("bilinear", "GDA(-1)"), GandynError),
        (("bilinear", gd.rules.GDA), ParameterError),
        (("boxed_bilinear", gd.rules.FollowTheRidge(0.1)), DomainError),
        (("bilinear", "GDA(0.1)", "page.txt"), OutputError),
        (("bilinear", "GDA(0.1)", "no/such/folder/page.html"), OutputError),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, error):
    with pytest.raises(error) as caught:
        gd.explore(*arguments)
    assert "\n" not in str(caught.value)


def test_the_command_writes_a_page(tmp_path):
    target = tmp_path / "page.html"
    line = [
        "explore",
        "quadratic",
        "--rule",
        "GDA",
        "--rule",
        "HeavyBall(0.1, -0.3)",
        "--set",
        "a=2",
        "--out",
        str(target),
    ]
    result = CliRunner().invoke(app, line)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"wrote {target}: ")
    assert '"value": 2.0' in target.read_text(encoding="utf-8")
    for wrong in (["explore", "quadratik"], ["explore", "bilinear", "--set", "q=1"], ["explore", "--out", "x.png"]):
        refused = CliRunner().invoke(app, wrong)
        assert refused.exit_code == 2
        assert len(refused.stderr.splitlines()) == 1


def test_a_toy_keeps_its_question():
    toy = Toy("mine", turned_entry(gd.games.registry["bilinear"], {}), question="In or out?", answer="Out.")
    page = gd.explore(toy, gd.rules.GDA(0.1))
    assert data_of(page)["games"][0]["answer"] == "Out."
