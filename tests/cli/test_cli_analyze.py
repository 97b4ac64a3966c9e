"""The page of `gandyn analyze`: sections against closed forms, JSON with the same content, width and limits."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
import sympy
from typer.testing import CliRunner

import gandyn as gd
from gandyn.analysis.parameters import crossing
from gandyn.cli import analyze as command
from gandyn.cli import app
from gandyn.cli.analyze import _point
from gandyn.cli.global_sections import GLOBAL
from gandyn.cli.in_short import add_advice, other_rules, verdict_section
from gandyn.cli.limits import Allowance, within
from gandyn.cli.page import Page, Terminal
from gandyn.cli.section_text import Formula, both, matrix_rows
from gandyn.cli.sections import ALWAYS, KEYS, SECTIONS, Section, Subject, stability_section
from gandyn.cli.threshold_section import threshold_section


def gandyn(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def entry(page, name):
    """The rows of one entry, joined."""
    found = re.search(rf"^{re.escape(name)} +(.*(?:\n {{20}}.*)*)", page, re.MULTILINE)
    assert found, f"no entry {name}"
    return " ".join(found[1].split())


OGDA = ("analyze", "bilinear", "--rule", "OGDA", "--set", "lr=0.2")


def test_a_rule_with_memory_on_the_bilinear_game():
    result = gandyn(*OGDA)
    assert result.exit_code == 0, result.output
    page = result.stdout
    assert max(map(len, page.splitlines())) <= 100
    assert page.splitlines()[3] == "In short"
    assert entry(page, "in short") == "attracting, spectral radius 0.9789063, 30.5 steps per turn"
    assert entry(page, "what to do") == "steps below 0.57735 attract; the fastest is 0.5, of radius 0.707107"
    assert entry(page, "critical lr") == "sqrt(3)/3 = 0.5773502692"
    assert entry(page, "best lr").startswith("1/2 = 0.5, with spectral radius sqrt(2)/2")
    assert entry(page, "char. polynomial") == "z**4 - 2*z**3 + 29*z**2/25 - 4*z/25 + 1/25"
    assert entry(page, "as a flow").startswith("w'' = (-2/lr) w' + (-2/lr) v + (-2) J w'")
    assert "(-lr_x*lr_y/2) <d_y f_x, v_y>" in entry(page, "drift per step")
    assert entry(page, "rate").startswith("0.0213193 per step")
    assert entry(page, "A (Hamiltonian)") == "[ 0 1] [-1 0]"
    assert entry(page, "verified").startswith("exactly")


@pytest.mark.parametrize(
    ("rule", "stability", "others", "advice"),
    [
        ("GDA(1)", {"never": True}, {"A": (0, 0.5)}, "no step of it attracts; A with steps below 0.5 would"),
        ("GDA(1)", {"never": True}, {"B": (0, math.inf)}, "no step of it attracts; B with any step would"),
        ("GDA(0.1)", {"critical": {"value": 0.0}}, {}, "no small step of it attracts"),
        ("GDA(0.1)", {"never": True}, {"A": None},
         "no step of it attracts, and no step of A attracts; other points: gd.fixed_points, or --global"),
        ("OGDA(0.8)", {"intervals": [[0, 3**-0.5]]}, {}, "steps below 0.57735 attract"),
        ("OGDA(0.8)", {"intervals": [[1, 2], [3, math.inf]]}, {}, "steps between 1 and 2 or steps above 3 attract"),
        ("Adam(0.8)", {}, {"A": (0.1, 1)},
         "the linear part says nothing of it: run it, with gd.iterate; A with steps between 0.1 and 1 attracts"),
        (None, None, {"A": (0, 0.5)}, "the flow is not attracted; A with steps below 0.5 would"),
    ],
)  # fmt: skip
def test_what_to_do(rule, stability, others, advice):
    game = gd.games.bilinear()
    built = None if rule is None else gd.rules.registry.from_text(rule)
    subject = Subject(game, built, None, gd.linearize(game, built))
    opening = verdict_section(subject)
    add_advice(opening, subject, stability, others)
    assert dict(opening.entries)["what to do"] == [advice]
    measured = {"OptimisticGD": (0, 3**-0.5), "Extragradient": (0, 1)}
    measured = {name: pytest.approx(ends) for name, ends in measured.items() if built is None or built.name != name}
    assert other_rules(subject) == measured


@pytest.mark.slow
def test_the_same_as_json():
    data = json.loads(gandyn(*OGDA, "--json", "--all").stdout)
    assert data["stability"]["critical"] == {"parameter": "lr", "exact": "sqrt(3)/3", "value": pytest.approx(3**-0.5)}
    assert data["backward_error"]["drift"]["products"]["x"]["y"] == "lr_x*lr_y/2"
    assert data["backward_error"]["high_resolution"]["coefficients"]["J w'"] == "-2"
    assert data["spectral_radius_exact"] == "sqrt(sqrt(21)/10 + 1/2)"
    assert data["rate"] == pytest.approx(0.0213193, rel=1e-5)
    assert data["classification"]["flow"] == "marginal"
    assert {key for keys in (*KEYS.values(), *GLOBAL.values()) for key in keys} <= set(data)
    assert list(data)[:2] == ["game", "rule"]
    assert data["skipped"] == {}


def test_a_flow_that_only_its_cubic_term_decides():
    page = gandyn("analyze", "dirac", "--set", "loss=nonsaturating").stdout
    assert "cubic term" in entry(page, "because")
    assert entry(page, "verdict") == "attracting locally"
    assert entry(page, "in short").startswith("attracting locally, spectral abscissa 0, ")
    assert entry(page, "what to do").startswith("the flow is attracted by non-linear terms alone")
    assert "Stable steps" not in page  # a flow without free parameters has no step


def test_conserved_and_critical_quantities():
    page = gandyn("analyze", "bilinear", "--rule", "AlternatingGD", "--set", "lr=1/5").stdout
    assert re.search(r"a\*\*2 .*- a\*b/5 .*\+ b\*\*2|5\*a\*\*2 - a\*b \+ 5\*b\*\*2", entry(page, "conserved"))
    tau = gandyn("analyze", "quadratic", "--set", "a=-1", "--set", "b=2", "--set", "c=1").stdout
    assert entry(tau, "flow attracts for") == "tau above 1"
    assert entry(tau, "of").startswith("the gradient flow in which y moves tau times as fast, by its linear part")
    never = gandyn("analyze", "bilinear", "--rule", "GDA", "--set", "lr=0.1").stdout
    assert entry(never, "stable steps").startswith("none")


def test_forsaken_attracts_for_slow_players_too():
    found = gandyn("analyze", "forsaken", "--rule", "GDA", "--set", "lr=0.1")
    assert entry(found.stdout, "flow attracts for") == "tau below 1.239178322"
    assert entry(found.stdout, "players") == "x moves x, y moves y; zero-sum"


def test_the_head_decides_along_a_free_step():
    turning = gandyn("analyze", "bilinear", "--rule", "AlternatingGD", "--set", "lr=lr").stdout
    assert entry(turning, "in short") == "marginal for lr below 2 (conservative), saddle for lr above 2"
    assert entry(turning, "what to do").startswith("no step of it attracts; OptimisticGD with steps below 0.57735")
    assert entry(turning, "stable steps") == "none: an eigenvalue is on or beyond the unit circle"
    assert entry(turning, "players") == "x moves a, y moves b; zero-sum"
    stable = gandyn("analyze", "dirac", "--set", "penalty=R1(0.3)", "--rule", "GDA", "--set", "lr=lr").stdout
    assert entry(stable, "in short") == "attracting locally for lr below 1.2, repelling for lr above 1.2"


@pytest.mark.slow
def test_around_the_forsaken_point():
    result = gandyn("analyze", "forsaken", "--rule", "GDA", "--set", "lr=0.05", "--all")
    assert result.exit_code == 0, result.output
    page = result.stdout
    assert max(map(len, page.splitlines())) <= 100
    assert entry(page, "critical lr") == "0.1082761487"
    assert entry(page, "cycles of the flow").startswith("repelling, period 7.16987")
    assert re.match(r"repelling, rotation number 0.00707.* attracting", entry(page, "invariant circles"))
    assert re.search(r"lr = 0.10827615\s+subcritical Neimark-Sacker at \(0.0780267, 0.411934\)", page)
    assert "0 lies in the band" in entry(page, "so")


def test_a_proof_and_an_orbit_that_settles():
    pytest.importorskip("flint")
    data = json.loads(gandyn("analyze", "quadratic", "--rule", "GDA", "--set", "lr=1/5", "--global", "--json").stdout)
    assert data["certificate"]["proven"]
    assert data["certificate"]["basin_radius"] == pytest.approx(1, rel=1e-8)
    radius = data["spectral_radius"]
    assert data["lyapunov_exponents"]["exponents"][0] == pytest.approx(math.log(radius), abs=1e-6)


@pytest.mark.slow
def test_global_sections_that_do_not_apply_say_why():
    page = gandyn("analyze", "matching_pennies", "--global").stdout
    assert entry(page, "these are all").startswith("v is affine on the faces: 1 isolated zero")
    assert entry(page, "closed orbits").startswith("circles are searched for under a rule")
    assert entry(page, "bifurcations") == "a flow has no step to vary"


@pytest.mark.slow
def test_around_the_point():
    data = json.loads(gandyn("analyze", "almost_bilinear", "--set", "eps=1/10", "--global", "--all", "--json").stdout)
    assert len(data["global"]["cycles"]) == 1


def test_sections_that_take_too_long_say_so(monkeypatch):
    def endless(_subject):
        while True:
            pass

    from gandyn.cli import sections

    monkeypatch.setattr(command.Allowance, "left", 0.25)
    monkeypatch.setattr(sections, "SECTIONS", (endless,))
    monkeypatch.setitem(sections.KEYS, endless, ("conserved",))
    result = gandyn("analyze", "bilinear")
    assert result.exit_code == 0
    assert entry(result.stdout, "conserved") == "skipped: not ended after 0.25 s of computing; --all has no limit"
    assert json.loads(gandyn("analyze", "bilinear", "--json").stdout)["conserved"] is None


@pytest.mark.slow
def test_a_threshold_is_bisected_where_exact_conditions_take_too_long(monkeypatch):
    """The number against eigenvalues of I - lr J + (lr J)^2, extragradient's map, on both sides of it."""

    def cut(seconds, make, subject):
        return (None, "skipped: not ended after 3 s") if make is stability_section else within(None, make, subject)

    monkeypatch.setattr(command, "within", cut)
    page = gandyn("analyze", "forsaken", "--rule", "Extragradient(0.1)").stdout
    assert entry(page, "critical lr") == "1.198855548"
    assert entry(page, "what to do") == "steps below 1.19886 attract locally, as far as a bisection shows"
    assert "both proved" in entry(page, "how it is known")
    game = gd.games.forsaken()
    J = game.jacobian(np.array([float(x) for x in game.equilibria[0]]))
    for share, inside in ((1 - 1e-8, True), (1 + 1e-8, False)):
        lr = 1.198855548 * share
        assert (abs(np.linalg.eigvals(np.eye(2) - lr * J + lr**2 * J @ J)).max() < 1) == inside


def test_a_threshold_that_nothing_supports_is_not_printed(monkeypatch):
    """Simultaneous steps leave v = ab by lr^2/2 a step, which floating point does not see at small steps."""
    monkeypatch.setattr(crossing, "_proved", lambda *_: None)
    game, rule = gd.games.bilinear(), gd.rules.GDA(0.1)
    with pytest.raises(gd.GandynError, match="neither proved nor supported"):
        threshold_section(Subject(game, rule, None, gd.linearize(game, rule)))


def test_a_slow_section_leaves_time_to_those_after_it(monkeypatch):
    assert (Allowance(None).share(3.0), Allowance(None).part(last=False)) == (None, None)
    allowance = Allowance(9.0)
    monkeypatch.setattr(Allowance, "left", 4.0)
    assert (allowance.part(last=False), allowance.part(last=True), allowance.share(3.0)) == (2.4, 4.0, 3.0)
    monkeypatch.setattr(Allowance, "left", 0.1)
    assert (
        within(allowance.part(last=True), print, None)[1]
        == "skipped: the time of this page was spent; --all has no limit"
    )


def test_every_section_has_its_keys():
    assert set(KEYS) >= set(SECTIONS)
    assert not set(KEYS) & set(ALWAYS)


def test_on_a_terminal_the_page_has_lines_across(capsys):
    section = Section("Linear part")
    section.add("verdict", "attracting")
    section.add("nothing")
    page = Terminal()
    page.section(section)
    page.notes({"conserved": "skipped: not ended after 10 s; --all has no limit"})
    shown = capsys.readouterr().out
    assert re.search(r"Linear part ─+", shown)
    assert re.search(r"verdict +attracting", shown)
    assert "nothing" not in shown
    assert "--all has no limit" in shown


def test_sections_are_written_as_they_come(monkeypatch, capsys):
    """What is found first stands on the page before the next section is begun."""
    from gandyn.cli import sections

    seen = []

    def looks(_subject):
        seen.append(capsys.readouterr().out)
        return Section("Looked")

    monkeypatch.setattr(sections, "SECTIONS", (sections.map_section, looks))
    monkeypatch.setitem(sections.KEYS, looks, ("conserved",))
    command.analyze("bilinear", "GDA(0.1)")
    assert "what to do" in seen[0]
    assert "Update map" in seen[0]


def test_long_formulas_are_cut_but_with_full():
    long = Formula("x + " * 100)
    assert Page().cut(long).endswith("... (--full)")
    assert len(Page().cut(long)) < 220
    assert Page(full=True).cut(long) == long
    assert Page().cut("prose " * 100) == "prose " * 100  # only formulas are cut
    brief = Formula("1.5", "a long form  =  1.5")
    assert (Page().cut(brief), Page(full=True).cut(brief)) == ("1.5", "a long form  =  1.5")


def test_numbers_in_text():
    import numpy as np
    import sympy

    assert both(sympy.sqrt(2)) == "sqrt(2)  =  1.414213562"
    assert both(sympy.Integer(3)) == "3"
    assert both(sympy.oo) == "infinite"
    assert matrix_rows(np.array([[-0.0, 1.5], [-2.0, 0.0]])) == ["[  0  1.5]", "[ -2    0]"]


@pytest.mark.parametrize("arguments", [("bilinaer",), ("bilinear", "--rule", "GDAA"), ("bilinear", "--al")])
def test_bad_names_are_one_line_and_status_2(arguments):
    result = gandyn("analyze", *arguments)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.slow
def test_noise_on_the_page():
    """Floor, mean-square limit and best step with --noise; the same numbers in JSON; none where there is no law."""
    page = gandyn("analyze", "quadratic", "--rule", "EG", "--set", "lr=0.19", "--noise", "0.1")
    assert page.exit_code == 0, page.output
    assert entry(page.stdout, "noise floor").endswith("(exact)")
    assert entry(page.stdout, "mean-square limit") == "lr < 1"
    data = json.loads(
        gandyn("analyze", "quadratic", "--rule", "EG", "--set", "lr=0.19", "--noise", "0.1", "--json").stdout
    )
    assert math.isclose(data["noise"]["mean_square_distance"], 0.015143434, rel_tol=1e-7)
    assert data["noise"]["critical_lr"] == "1"
    none = gandyn("analyze", "bilinear", "--rule", "GDA", "--set", "lr=0.1", "--noise", "0.1").stdout
    assert entry(none, "noise floor").startswith("none: the spectral radius of M (x) M is 1.01")
    assert entry(none, "mean-square limit") == "none: second moments grow at short steps"
    sums = gandyn("analyze", "stochastic_bilinear", "--rule", "EG", "--set", "lr=0.1", "--set", "summands=4").stdout
    assert entry(sums, "mean-square limit") == "lr < sqrt(205)/41 = 0.3492151479"
    assert gandyn("analyze", "bilinear", "--noise", "0.1").exit_code != 0


def test_the_one_equilibrium_that_is_found_is_the_point_that_is_analysed():
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy([(x - 1) ** 2 / 2, (y + 2) ** 2 / 2], [x, y])
    assert tuple(_point(game, None)) == (1, -2)


def test_a_name_that_a_call_has_taken_is_said_to_be_taken():
    """The message was: no parameter named 'lr': did you mean 'lr'?"""
    page = CliRunner().invoke(app, ["analyze", "bilinear", "--rule", "GDA(lr)", "--set", "lr=0.1"])
    assert page.exit_code == 2
    assert "the rule or game was called with its arguments" in page.output
    assert "did you mean" not in page.output
