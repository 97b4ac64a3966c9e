"""Every result keeps one contract: `repr`, notebook forms, `to_dict`, title and provenance, whatever class it is."""

from __future__ import annotations

import dataclasses
import functools
import html
import importlib
import json
import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
import torch

import gandyn as gd
from gandyn import results
from gandyn.results import Found, Result, place, plain, table, with_decimal

BILINEAR, GDA, QUADRATIC = gd.games.bilinear(), gd.rules.GDA(0.1), gd.games.quadratic(1, 2, 1)
PACKAGE = Path(gd.__file__).parent
BOX = [(-1.0, 1.0)] * 2


@functools.cache
def run() -> results.Trajectory:
    return gd.iterate(QUADRATIC, GDA, [1.0, 0.5], 60)


def small() -> Any:
    """Two networks of eight neurons on eight points of a ring."""
    pair = gd.gans.mlp_pair(hidden=(8,), seed=0)
    return gd.gans.GANGame(*pair, data=gd.gans.ring(), batch_size=16, seed=0)


@functools.cache
def training() -> Any:
    return gd.gans.train(small(), gd.rules.GDA(0.01), 8, log_every=4)


@functools.cache
def seeded() -> Any:
    return gd.gans.train(small(), gd.rules.GDA(0.01), 8, log_every=4, seeds=2)


@functools.cache
def network_spectrum() -> Any:
    game = small()
    return gd.spectrum(game, game.w0, 1, "LM", confirm=False)


@functools.cache
def network_toy() -> Any:
    game = small()
    return gd.toy_against_network(game, GDA, game.w0, ("SR",), steps=8, factors=(1.0,), confirm=False)


def orbit(kind: str) -> Result:
    """One made by hand: what a search finds takes longer than what is tested here."""
    from gandyn.analysis.closed_orbits import closed_orbit as orbits

    points, multipliers = np.eye(2), np.array([0.5 + 0j])
    made = {
        "LimitCycle": lambda: orbits.LimitCycle(BILINEAR, 6.28, points, multipliers, 0.0),
        "InvariantCircle": lambda: orbits.InvariantCircle(
            BILINEAR, GDA, 0.1, np.ones((3, 2)), points, multipliers.real, 0.0
        ),
        "PeriodicOrbit": lambda: orbits.PeriodicOrbit(BILINEAR, GDA, 2, points, multipliers, 0.0),
    }
    return made[kind]()


def bound() -> Any:
    """A programme of its own, for which `gandyn[proof]` is needed."""
    pytest.importorskip("clarabel", reason="needs the extra gandyn[proof]")
    return gd.worst_case(GDA, 0.5, 1.0, 1)


def home(module: str) -> Any:
    """A module of the package, imported when its example is made."""
    return importlib.import_module(f"gandyn.{module}")


def fold() -> Any:
    branches = home("analysis.parameters.branches")
    return branches.BifurcationPoint(branches.Kind.FOLD, 0.5, np.zeros(2), np.ones(2, complex), 1.0, None, None, "why")


# A small example of every class of results. A new class stands here too: the first test names it.
EXAMPLES: dict[str, Callable[[], Any]] = {
    "Trajectory": run,
    "Linearization": lambda: gd.linearize(BILINEAR, GDA, at=[0, 0]),
    "NonlinearDecision": lambda: gd.linearize(BILINEAR, at=[0, 0]).nonlinear,
    "LinearizedEnsemble": lambda: gd.linearize(BILINEAR, gd.rules.GDA(np.array([0.1, 0.2]))),
    "LyapunovEnsemble": lambda: gd.lyapunov_exponents(BILINEAR, gd.rules.GDA(np.array([0.1, 0.2])), [1.0, 0.0], 40),
    "Sweep": lambda: gd.sweep(BILINEAR, gd.rules.GDA("lr"), {"lr": [0.1, 0.2]}),
    "StabilityRegion": lambda: gd.stability_region(BILINEAR, gd.rules.OptimisticGD("lr")),
    "FixedPoint": lambda: gd.fixed_points(QUADRATIC)[0],
    "FixedPoints": lambda: gd.fixed_points(QUADRATIC),
    "ClosedOrbits": lambda: gd.limit_cycles(BILINEAR, BOX),
    **{kind: functools.partial(orbit, kind) for kind in ("LimitCycle", "InvariantCircle", "PeriodicOrbit")},
    "Decomposition": lambda: gd.decompose(BILINEAR),
    "Classification": lambda: gd.classify(QUADRATIC),
    "UpdateMap": lambda: gd.update_map(BILINEAR, GDA),
    "ModifiedFlow": lambda: gd.modified_flow(BILINEAR, GDA),
    "HighResolution": lambda: gd.high_resolution(BILINEAR, GDA),
    "DriftCoefficients": lambda: gd.drift(BILINEAR, GDA),
    "ConservedQuantity": lambda: gd.conserved_quantities(BILINEAR)[0],
    "LyapunovFunction": lambda: gd.lyapunov_function(QUADRATIC, GDA),
    "WorstCase": bound,
    "SpeedLimit": lambda: gd.speed_limit(gd.classes.Bilinear(0.5, 2)),
    "Recommendation": lambda: gd.recommend(gd.classes.Spectrum(segment=(0.5, 2)), [gd.rules.GDA("lr")]),
    "Design": lambda: gd.design(gd.rules.Extragradient("lr"), gd.classes.Bilinear(0.5, 2)),
    "Rate": lambda: gd.rate(gd.rules.Extragradient(0.4), gd.classes.Bilinear(0.5, 2)),
    "Certificate": lambda: gd.certify(QUADRATIC, GDA, at=[0, 0], box=BOX),
    "DualityGap": lambda: gd.duality_gap(QUADRATIC, [0.3, 0.2]),
    "GapAlong": lambda: gd.gap_along(run()),
    "GapFlow": lambda: gd.gap_flow(QUADRATIC),
    "RateFit": lambda: gd.fit_rate(run()),
    "Comparison": lambda: gd.compare(QUADRATIC, [GDA], [1.0, 0.5], 20, step_sizes=(0.1,), seeds=2),
    "Basins": lambda: gd.basins(QUADRATIC, GDA, [(-1, 1, 3)] * 2, steps=200),
    "EscapeTimes": lambda: gd.escape_time(BILINEAR, GDA, [[0.9, 0.0], [0.0, 0.0]], 50, radius=1.0),
    "LyapunovExponents": lambda: gd.lyapunov_exponents(QUADRATIC, GDA, [1.0, 0.5], steps=50),
    "Stationary": lambda: gd.stationary(QUADRATIC, GDA, noise=0.1),
    "MeanSquare": lambda: gd.mean_square(QUADRATIC, GDA),
    "StochasticFlow": lambda: gd.stochastic_flow(QUADRATIC, GDA, noise=0.1),
    "Recurrence": lambda: gd.recurrence(gd.games.matching_pennies(), [0.4, 0.6, 0.7, 0.3], 5.0),
    "Bifurcation": lambda: gd.bifurcation(QUADRATIC, GDA, "lr", [0.1, 0.2, 0.3], box=BOX),
    "BifurcationPoint": fold,
    "BifurcationCurves": lambda: gd.bifurcation_curves(
        gd.games.dirac_gan(penalty=gd.penalties.R1("gamma")), gd.rules.AlternatingGD("lr")
    ),
    "PathAngle": lambda: gd.path_angle(QUADRATIC, [1.0, 2.0], [0.0, 0.0], points=12),
    "Spectrum": network_spectrum,
    "ToyAgainstNetwork": network_toy,
    "Check": lambda: gd.claims.check(gd.claims.registry["arjovsky_2017.parallel_lines"].build(), draws=1),
    "Falsification": lambda: home("claims.falsify").Falsification({"lr": 0.5}, "", 3, 0),
    "Convergence": lambda: gd.claims.converges(GDA, QUADRATIC, steps=200),
    "Made": lambda: home("figures.making").Made("a figure", True, "double"),
    "Report": lambda: home("figures.batch").Report(()),
    "ModeReport": lambda: gd.gans.ring().modes(torch.zeros(4, 2)),
    "Score": lambda: home("gans.metrics.score").Score("mmd", 0.5, None, 4, 4, "points"),
    "Assessment": lambda: home("gans.metrics.assessment").Assessment("ring of 8", {}),
    "TrainingRun": training,
    "SeededRuns": seeded,
    "NashMemory": lambda: gd.gans.dirac_memory(),
    "MemberRun": lambda: seeded().runs[0],
    "SampleGrid": lambda: home("gans.training.sample_grid").SampleGrid(
        np.zeros((4, 2)), np.zeros((4, 2)), 3, "ring of 8"
    ),
    "SweepResult": lambda: home("gans.training.sweep").SweepResult(home("gans.training.sweep").Sweep.find("ttur"), []),
    "Spiral": lambda: gd.plots.compute_spiral(BILINEAR, [GDA], 0.1, (1, 0), 5),
}


def classes() -> list[type[Result]]:
    """Every concrete class of results in the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if "results import" in path.read_text():
            importlib.import_module(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))
    found, left = [], list(Result.__subclasses__())
    while left:
        cls = left.pop()
        left += cls.__subclasses__()
        found.append(cls)
    return sorted((c for c in found if c.__module__.startswith("gandyn")), key=lambda c: c.__name__)


@functools.cache
def example(name: str) -> Any:
    return EXAMPLES[name]()


CASES = pytest.mark.parametrize("name", EXAMPLES)


def test_every_class_of_results_has_an_example():
    missing = {c.__name__ for c in classes() if not c.__subclasses__()} - {*EXAMPLES}
    assert not missing, f"add {', '.join(sorted(missing))} to EXAMPLES in {__file__}"


@CASES
def test_to_dict_is_strict_json_and_says_which_version_computed_it(name):
    data = example(name).to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["gandyn"] == gd.__version__


@CASES
def test_repr_is_one_line_that_names_the_class(name):
    found = example(name)
    assert "\n" not in repr(found)
    assert repr(found).startswith("[" if isinstance(found, Found) else f"<{name} ")
    assert str(found) == found.summary()


@CASES
def test_notebooks_show_title_summary_and_version_escaped(name):
    found = example(name)
    page = found._repr_html_()
    assert html.escape(found.title) in page
    assert html.escape(found.summary()) in page
    assert f"gandyn {gd.__version__}" in page
    assert page.count("<") == page.count(">") == (10 if found.latex() else 8)
    assert found._repr_latex_() == (f"$${found.latex()}$$" if found.latex() else None)


@CASES
def test_rule_game_and_point_are_printed(name):
    found = example(name)
    about = found.provenance
    assert about["gandyn"] == gd.__version__
    for words in (found.title, found.summary()):
        if "game" in about and (name not in ("FixedPoint", "Spiral") or words is found.title):
            assert about["game"].name in words
        if "rule" in about and name not in ("GapFlow", "Spectrum"):
            assert ("gradient flow" if about["rule"] is None else repr(about["rule"])) in words
        if about.get("at") is not None:
            assert place(about["at"]) in words


@CASES
def test_results_are_frozen(name):
    found = example(name)
    if isinstance(found, Found):
        return
    assert dataclasses.is_dataclass(found)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(found, dataclasses.fields(found)[0].name, None)


def test_no_class_writes_by_hand_what_they_share():
    shared = ("to_dict", "__repr__", "__str__", "_repr_html_", "_repr_latex_", "provenance", "title", "plot")
    by_hand = [f"{c.__name__}.{n}" for c in classes() for n in shared if n in vars(c)]
    assert not by_hand, f"{', '.join(by_hand)}: name the entries in `_data`, and the line of `repr` in `_headline`"


@dataclasses.dataclass(frozen=True, repr=False)
class Odd(Result):
    game: Any
    value: Any

    def summary(self) -> str:
        return f"{self._dynamics()}: <b>{self.value}</b>"


def test_what_json_lacks_has_a_documented_form():
    values = {
        "infinite": [math.inf, -math.inf],
        "nan": np.array([math.nan, 1.0]),
        "complex": 1 + 2j,
        "exact": sympy.sqrt(2) / 2,
        "matrix": sympy.Matrix([[1, sympy.Symbol("a")]]),
        "fraction": Fraction(1, 3),
        "status": gd.Status.OK,
        "rule": GDA,
        "nested": gd.linearize(BILINEAR, GDA, at=[0, 0]),
    }
    data = Odd(BILINEAR, values).to_dict()["value"]
    assert data["infinite"] == ["inf", "-inf"]
    assert float(data["infinite"][1]) == -math.inf
    assert data["nan"] == [None, 1.0]
    assert data["complex"] == {"re": 1.0, "im": 2.0}
    assert data["exact"] == "sqrt(2)/2"
    assert data["matrix"] == [["1", "a"]]
    assert data["fraction"] == "1/3"
    assert data["status"] == "OK"
    assert data["rule"] == repr(GDA)
    assert data["nested"]["at"] == [0.0, 0.0]
    assert "gandyn" not in data["nested"]
    json.dumps(plain(values))


def test_html_escapes_what_a_summary_says():
    page = Odd(BILINEAR, "a < b & c")._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;a &lt; b &amp; c&lt;/b&gt;" in page


def test_exact_numbers_carry_their_decimals():
    half = sympy.sqrt(2) / 2
    assert place((half, 0)) == "(sqrt(2)/2, 0) = (0.707107, 0)"
    assert place((0.1, 2)) == "(0.1, 2)"
    assert place(np.zeros(1000)) == "a point of 1000 coordinates"
    assert place((sympy.Symbol("a"), Fraction(1, 3))) == "(a, 1/3) = (a, 0.333333)"
    assert with_decimal(sympy.sqrt(3) / 3) == "sqrt(3)/3 = 0.57735"
    assert with_decimal(sympy.Integer(2)) == "2"
    assert with_decimal(sympy.oo) == "oo"
    assert "critical lr: sqrt(3)/3 = 0.57735" in example("StabilityRegion").summary()
    assert "sqrt(2), 0) = (" in gd.fixed_points(gd.games.from_sympy("x**4/4 - x**2 + y**2/2", ["x", "y"])).summary()


def test_tables_line_up():
    assert table([("a", "b"), ("long", "")]) == ["a     b", "long"]


def test_an_editor_completes_what_the_package_offers():
    """Everything that `gandyn` imports when it is asked for is imported for type checkers too, by the same name."""
    source = Path(gd.__file__).read_text()
    typed = source.partition("if TYPE_CHECKING:")[2].partition("\n\n\n")[0]
    for name in gd.__all__:
        assert f" {name} as {name}" in typed or name in ("GandynError", "Status", "games", "rules"), name
