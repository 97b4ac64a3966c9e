"""Claims as objects: each is checked, can fail, and is noticed to fail; and the tools for a user's own statements."""

from __future__ import annotations

import json

import matplotlib as mpl
import pytest
from hypothesis import Phase, find, settings
from hypothesis import strategies as st
from mutation.claims import CLAIMS, MUTANTS
from mutation.package import PackageCopy
from typer.testing import CliRunner

import gandyn as gd
from gandyn.claims import Claim, Evidence, How, Outside, Verdict, check, converges, falsify, registry, strategies
from gandyn.claims.arjovsky_2017 import wasserstein_is_continuous
from gandyn.claims.gulrajani_2017 import unit_slopes
from gandyn.errors import DomainError, ParameterError

NAMES = [entry.name for entry in registry]
LONG = {
    *("hsieh_2021.steps_follow_the_flow", "hsieh_2021.cycles_are_limits", "hsieh_2021.spurious_cycle"),
    *("mescheder_2018.r1_in_general", "nagarajan_2017.in_general", "thanh_tung_2019.global_convergence"),
    *("goodfellow_2014.densities_converge", "metz_2017.no_more_hopping", "lorraine_2022.almost_positive"),
}
PACKAGE = __import__("pathlib").Path(gd.__file__).parent
# Has imported what the package stands on, but not the package: each answer comes from a fork that does.
ANSWERS = """
import os, signal, sys
import hypothesis, scipy.integrate, scipy.linalg, scipy.optimize, sympy
for line in sys.stdin:
    name, draws = line.split()
    if os.fork() == 0:
        signal.alarm(600)
        from gandyn.claims import check, registry
        print(check(registry[name].build(), draws=int(draws) or None, shrink=False).agrees, flush=True)
        os._exit(0)
    if os.wait()[1] != 0:
        print("no answer", flush=True)
"""


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LONG])
def test_a_claim_is_what_it_is_declared_to_be(name):
    """A few draws here; all of them, and those of `LONG`, in the slow set."""
    found = check(registry[name].build(), draws=2, shrink=False)
    assert found.agrees, found.summary()
    assert found.rejected_share < 0.9
    json.dumps(found.to_dict())


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_claim_holds_on_all_its_draws(name):
    claim = registry[name].build()
    found = check(claim)
    assert found.agrees, found.summary()
    if claim.hypotheses is not None and claim.verdict is not Verdict.REFUTED:
        assert found.tried >= min(claim.draws, 10)


@pytest.mark.parametrize("name", NAMES)
def test_a_claim_says_where_it_comes_from_and_what_would_break_it(name):
    claim = registry[name].build()
    assert claim.paper in name
    assert claim.statement.endswith(".")
    assert claim.latex
    assert claim.source
    mutants = [mutant for mutant in MUTANTS if mutant.why == name]
    assert mutants or claim.verdict is Verdict.OPEN, (
        f"no wrong change of the package breaks {name}: write one under `## {name}` in tests/mutation/claims.txt"
    )
    for mutant in mutants:
        assert (PACKAGE / mutant.file).read_text().count(mutant.find) >= 1, f"{mutant.file} has no {mutant.find!r}"
        assert mutant.replace != mutant.find


def test_every_mutant_is_of_a_claim_that_exists():
    assert set(NAMES) >= CLAIMS


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return PackageCopy(tmp_path_factory.mktemp("package") / "copy")


@pytest.fixture(scope="module")
def agrees(package):
    """Of a claim: what is found with the copy as it is now; it must come to an answer."""
    with package.start(["-c", ANSWERS]) as process:

        def ask(name: str, draws: int = 0) -> bool:
            process.stdin.write(f"{name} {draws}\n")
            process.stdin.flush()
            return {"True\n": True, "False\n": False}[process.stdout.readline()]

        yield ask
        process.stdin.close()


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=[f"{mutant.why}-{mutant.key}" for mutant in MUTANTS])
def test_a_claim_fails_with_each_of_its_mutants(package, agrees, mutant):
    """Two draws show nearly every mutant; only what they miss is looked for on all of them."""
    with package.changed(mutant):
        assert not (agrees(mutant.why, draws=2) and agrees(mutant.why))


@pytest.mark.slow
def test_a_mutant_is_made_in_a_copy_and_undone(package, agrees):
    """A claim agrees before and after its mutant, and in this process all the while."""
    name = "daskalakis_2018.simultaneous_diverges"
    (mutant,) = (mutant for mutant in MUTANTS if mutant.why == name)
    with package.changed(mutant):
        assert mutant.find not in (package.folder / "gandyn" / mutant.file).read_text()
        assert not agrees(name, draws=2)
        assert check(registry[name].build(), draws=2).agrees
    assert agrees(name, draws=2)


def test_a_false_claim_is_found_out_and_shrunk():
    """Extragradient does not converge for every step; the smallest failing one is reported."""
    claim = Claim(
        "nobody.extragradient",
        "Extragradient converges with every step.",
        r"\rho < 1",
        "nobody",
        How.PROPERTY,
        lambda step: Evidence(
            gd.linearize(gd.games.bilinear(), gd.rules.Extragradient(step)).spectral_radius < 1, f"step {step}"
        ),
        hypotheses=lambda: st.fixed_dictionaries({"step": st.floats(0.1, 5)}),
        outside=(Outside("too long", lambda: {"step": 2.0}), Outside("not outside at all", lambda: {"step": 0.5})),
    )
    found = check(claim)
    assert found.verdict is Verdict.REFUTED
    assert not found.agrees
    assert found.failure == {"step": 1.0}
    assert found.silent == ("not outside at all",)
    assert "does not fail where it should" in found.summary()


def test_vacuous_hypotheses_are_not_success():
    claim = Claim(
        "nobody.vacuous", "Nothing.", "0", "nobody", How.PROPERTY, lambda n: n >= 0,
        hypotheses=lambda: st.fixed_dictionaries({"n": st.integers()}), where=lambda n: False,
        outside=(Outside("negative", lambda: {"n": -1}),),
    )  # fmt: skip
    found = check(claim, draws=10)
    assert found.verdict is Verdict.OPEN
    assert found.rejected > 0
    assert not found.agrees


def test_a_claim_needs_an_example_where_it_fails_and_a_correction_where_it_is_corrected():
    with pytest.raises(ParameterError, match="Outside"):
        Claim("a.b", "x.", "x", "x", How.PROVED, lambda: True)
    with pytest.raises(ParameterError, match="correction"):
        Claim("a.b", "x.", "x", "x", How.PROVED, lambda: True, Verdict.CORRECTED, outside=(Outside("x", dict),))


def test_falsify_returns_a_simplest_counterexample_and_draws_it():
    def diverges(game, step):
        return gd.linearize(game, gd.rules.GDA(step)).spectral_radius > 1

    draws = st.fixed_dictionaries({"game": strategies.strongly_monotone(size=1), "step": strategies.steps(1.5)})
    found = falsify(diverges, draws, draws=60)
    assert found
    assert not diverges(**found.counterexample)
    assert "false at" in found.summary()
    assert isinstance(found.plot(), mpl.figure.Figure)
    held = falsify(lambda n: n * n >= 0, st.fixed_dictionaries({"n": st.integers()}), draws=20)
    assert not held
    assert held.tried == 20
    assert "not a proof" in held.summary()
    with pytest.raises(DomainError, match="planar"):
        held.plot()


def test_converges_is_about_the_run():
    assert converges(gd.rules.Extragradient(0.5), gd.games.bilinear())
    away = converges(gd.rules.GDA(0.5), gd.games.bilinear(), start=[[1.0, 0.0]], steps=200)
    assert not away
    assert "0 of 1 starts" in away.summary()
    singular = gd.games.bilinear(((1, 0), (0, 0)))
    assert not converges(gd.rules.Extragradient(0.5), singular, start=[1.0, 1, 1, 1])
    assert converges(gd.rules.Extragradient(0.5), singular, start=[1.0, 0, 1, 0])
    assert isinstance(away.plot(), mpl.figure.Figure)


@pytest.mark.parametrize(
    "strategy",
    [strategies.bilinear(), strategies.strongly_monotone(), strategies.planted(), strategies.dirac_gans(penalty=True)],
    ids=["bilinear", "strongly_monotone", "planted", "dirac_gans"],
)
def test_strategies_draw_what_they_promise(strategy):
    """Strong monotonicity by the symmetric part, planted spectra by the flow's abscissa."""
    import numpy as np

    def promise(game):
        jacobian = np.array(game.jacobian(np.array(game.equilibria[0], dtype=float)), dtype=float)
        symmetric = np.linalg.eigvalsh((jacobian + jacobian.T) / 2)
        return {
            "bilinear": abs(np.linalg.det(jacobian)) > 0 and np.abs(symmetric).max() == 0,
            "quadratic": symmetric.min() > 0.499 or game.dim == 2,
            "Dirac-GAN": np.linalg.eigvals(-jacobian).real.max() < 0,
        }.get(game.name, np.linalg.eigvals(-jacobian).real.max() < 0)

    found = falsify(promise, st.fixed_dictionaries({"game": strategy}), draws=15)
    assert not found, found.summary()
    assert found.tried == 15


def test_admissible_steps_are_admissible():
    game = gd.games.dirac_gan(penalty="R1(0.5)")
    draws = st.fixed_dictionaries({"rule": strategies.admissible(gd.rules.GDA, game)})
    assert not falsify(lambda rule: gd.linearize(game, rule).spectral_radius < 1, draws, draws=10)


def test_the_command_lists_and_checks():
    from gandyn.cli.app import app

    run = CliRunner().invoke(app, ["claims", "--paper", "daskalakis_2018", "--check", "--draws", "3", "--json"])
    assert run.exit_code == 0, run.output
    rows = json.loads(run.stdout)
    assert {row["paper"] for row in rows} == {"daskalakis_2018"}
    assert all(row["agrees"] for row in rows)
    assert all(row["outside"] and row["seconds"] > 0 for row in rows)
    listed = CliRunner().invoke(app, ["claims"])
    assert f"{len(NAMES)} claims" in listed.stdout


def test_the_table_says_how_each_claim_fares_and_a_disagreement_ends_in_status_1(monkeypatch):
    """A claim whose example outside does not fail is shown with its summary."""
    import gandyn.claims
    from gandyn.cli.app import app
    from gandyn.registry import Registry

    paper = Registry("claim")
    for name, why in (("good", 0.5), ("bad", 0.1)):
        claim = Claim(
            f"paper.{name}", "A number is small.", "n < 1/2", "theorem 1", How.PROPERTY, lambda n: n < 0.5,
            hypotheses=lambda: st.fixed_dictionaries({"n": st.floats(0, 0.9)}), where=lambda n: n < 0.45,
            outside=(Outside(f"n = {why}", lambda why=why: {"n": why}),), draws=20,
        )  # fmt: skip
        paper.add(gd.registry.Entry(claim.name, lambda claim=claim: claim))
    monkeypatch.setattr(gandyn.claims, "registry", paper)
    run = CliRunner().invoke(app, ["claims", "--check"])
    assert run.exit_code == 1
    lines = run.stdout.splitlines()
    assert lines[0].split() == ["claim", "verdict", "how", "seconds", "rejected"]
    good = next(line for line in lines if line.startswith("  good"))
    assert "holds" in good
    assert "property-tested" in good
    assert 0 < int(good.split("%")[0].split()[-1]) < 90
    assert "does not fail where it should: n = 0.1" in run.stdout
    assert lines[-1] == "2 claims of 1 paper, 1 disagree"
    assert CliRunner().invoke(app, ["claims"]).stdout.splitlines()[-1] == "2 claims of 1 paper"


def test_a_check_that_holds_shows_the_numbers_of_its_last_draw():
    found = check(registry["daskalakis_2018.optimism_converges"].build(), draws=2)
    assert found.agrees
    assert "eta sigma_max" in found.detail


def test_a_bound_that_is_met_is_not_broken():
    """All points of the generator go straight away from the data: W1 changes by as much as it can, to third order."""
    square = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]
    away = [(x + 9.0, y) for x, y in square]
    assert wasserstein_is_continuous(square, away, [(1.0, 0.0)] * 4, (-0.006, 0.006)).holds


def test_nonzero_numbers_are_drawn_of_either_sign():
    """`find` raises where there is none."""
    drawn = settings(phases=[Phase.generate], database=None)  # shrinking floats takes minutes
    assert -5 <= find(strategies.nonzero(5, 0.001), lambda number: number < 0, settings=drawn) < -0.001
    assert 0.001 < find(strategies.nonzero(5, 0.001), lambda number: number > 0, settings=drawn) <= 5


def test_the_second_player_of_a_quadratic_bends_either_way_unless_concave_is_asked_for():
    """By the diagonal of its own block of the Jacobian: C >= 1/2 if `concave`, else of any sign."""
    drawn = settings(max_examples=100, deadline=None, derandomize=True, database=None, phases=[Phase.generate])

    def least(game):
        return min(float(game.jacobian([0.0] * game.dim)[i, i]) for i in range(game.dim // 2, game.dim))

    assert least(find(strategies.zero_sum_quadratics(), lambda game: least(game) < 0, settings=drawn)) < 0
    assert least(find(strategies.zero_sum_quadratics(concave=True), lambda game: True, settings=drawn)) >= 0.5


def test_a_bounded_critic_falls_from_one_to_minus_one_whatever_lies_between():
    """A datum and a sample 3 apart: slope -2/3, where the best 1-Lipschitz critic has -1."""
    found = unit_slopes([(1, 1, 0), (3, 0, 1)], box=True)
    assert not found
    assert found.detail.startswith("[-0.66666667+0.j] beside [-1.+0.j]")
