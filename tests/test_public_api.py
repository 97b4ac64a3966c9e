"""The names, arguments and shapes that people outside rely on."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sympy
import torch

import gandyn as gd

ROOT = Path(__file__).parent.parent

RULES = {
    "SimultaneousGD": "lr",
    "AlternatingGD": "lr order repeats",
    "Alternating": "inner order repeats",
    "Extragradient": "lr",
    "OptimisticGD": "lr",
    "PastExtragradient": "lr",
    "ProximalPoint": "lr",
    "HeavyBall": "lr momentum alternating",
    "Consensus": "lr gamma",
    "SGA": "lr lam align",
    "CompetitiveGD": "lr",
    "LinearizedCGD": "lr",
    "Lookahead": "inner k alpha",
    "Averaging": "inner kind",
    "RungeKutta": "lr order",
    "Unrolled": "lr k inner_lr",
    "FollowTheRidge": "lr",
    "LEAD": "lr",
    "StableOpponentShaping": "lr",
    "Anchored": "lr",
    "Adam": "lr betas eps",
    "ExtraAdam": "lr betas eps",
    "OptimisticAdam": "lr betas eps",
    "RMSProp": "lr",
    "SGDM": "lr",
    "GradientCentralization": "inner",
    "Drift": "lr self_norm other_norm other_dot",
}
GAMES = {
    "bilinear": "matrix",
    "quadratic": "a b c",
    "general_quadratic": "blocks",
    "dirac_gan": "loss penalty noise",
    "forsaken": "",
    "almost_bilinear": "",
    "matrix_game": "",
    "gaussian_wgan": "",
    "from_sympy": "costs players parameters",
    "from_torch": "costs players",
}
FUNCTIONS = {
    "iterate": "game rule start steps record",
    "flow": "game start time rtol field",
    "update_map": "game rule",
    "linearize": "game rule at",
    "fixed_points": "game box",
}


def arguments(callable_):
    return list(inspect.signature(callable_).parameters)


@pytest.mark.parametrize(("room", "table"), [("rules", RULES), ("games", GAMES), (None, FUNCTIONS)])
def test_names_and_arguments(room, table):
    """Arguments by name, in this order; more may follow."""
    owner = gd if room is None else getattr(gd, room)
    for name, expected in table.items():
        found = arguments(getattr(owner, name))
        wanted = expected.split()
        if room is None or name.startswith("from_"):
            assert [a for a in found if a in wanted] == wanted, (name, found)
            assert found[0] == wanted[0]
        else:
            assert found[: len(wanted)] == wanted, (name, found)


def test_everything_in_all_resolves_and_nothing_else_is_promised():
    for name in gd.__all__:
        assert getattr(gd, name) is not None, name
    assert dir(gd) == sorted(gd.__all__)
    assert gd.__version__ == re.search(r'version = "(.*)"', (ROOT / "pyproject.toml").read_text())[1]
    with pytest.raises(AttributeError, match="no attribute 'iterte'"):
        gd.iterte  # noqa: B018 - the attribute access is the test


def test_aliases():
    assert gd.rules.GDA is gd.rules.SimultaneousGD
    assert gd.rules.registry["GDA"].build is gd.rules.SimultaneousGD
    assert gd.games.registry["dirac-gan"].build is gd.games.dirac_gan


def test_players_minimise_their_own_costs_and_player_one_comes_first():
    """v(a, b) = ab: player 1 minimises, player 2 maximises; v = (b, -a); w = (a, b)."""
    game = gd.games.bilinear()
    w = np.array([2.0, 3.0])
    assert [float(c) for c in game.costs(w)] == [6.0, -6.0]
    assert game.field(w).tolist() == [3.0, -2.0]
    assert game.field(w, only=0).tolist() == [3.0, 0.0]
    assert game.field(w, only="y").tolist() == [0.0, -2.0]
    assert game.field(w, only="discriminator").tolist() == [0.0, -2.0]
    assert game.jacobian(w).tolist() == [[0.0, 1.0], [-1.0, 0.0]]
    assert [p.name for p in game.players] == ["x", "y"]
    assert [block.tolist() for block in game.split(w)] == [[2.0], [3.0]]


def test_dirac_gan_signs():
    """D(x) = phi x is high on fakes: f = L(theta phi) + L(0), L(t) = -log(1 + e^-t); WGAN has L(t) = t."""
    theta, phi = 0.7, -1.3
    w = np.array([theta, phi])
    f = -math.log(1 + math.exp(-theta * phi)) - math.log(2)
    np.testing.assert_allclose(gd.games.dirac_gan().costs(w), [f, -f], rtol=1e-14)
    nonsaturating = gd.games.dirac_gan(loss="nonsaturating")
    np.testing.assert_allclose(nonsaturating.costs(w), [math.log(1 + math.exp(theta * phi)), -f], rtol=1e-14)
    assert gd.games.dirac_gan(loss="wasserstein").field(w).tolist() == [phi, -theta]
    penalised = gd.games.dirac_gan(loss="wasserstein", penalty=gd.penalties.R1(0.5))
    np.testing.assert_allclose(penalised.field(w), [phi, -theta + 0.5 * phi], rtol=1e-14)
    np.testing.assert_allclose(penalised.costs(w)[1], -theta * phi + 0.25 * phi**2, rtol=1e-14)


def test_numbers_symbols_and_names_are_parameters_alike():
    """A string is a free positive parameter of that name; a symbol is itself; a number is a number."""
    lr = sympy.Symbol("lr", positive=True)
    for value in ("lr", lr):
        assert gd.update_map(gd.games.bilinear(), gd.rules.GDA(lr=value)).expression[0].free_symbols >= {lr}
    assert gd.update_map(gd.games.bilinear(), gd.rules.GDA(sympy.Rational(1, 10))).parameters == ()
    same = [gd.rules.GDA((0.1, 0.2)), gd.rules.GDA({"x": 0.1, "y": 0.2}), gd.rules.GDA({"y": 0.2, "x": 0.1})]
    runs = [gd.iterate(gd.games.bilinear(), r, [1.0, 2.0], 3).w for r in same]
    assert (runs[0] == runs[1]).all()
    assert (runs[0] == runs[2]).all()
    np.testing.assert_allclose(runs[0][1], [1 - 0.1 * 2, 2 + 0.2 * 1])


@pytest.mark.parametrize("leading", [(), (3,), (2, 5)])
def test_iterate_shapes(leading):
    """record="all": (T+1, ..., d); "last": (..., d); a stride k: (T // k + 1, ..., d). In torch as in NumPy."""
    game, rule = gd.games.bilinear(), gd.rules.OptimisticGD(0.1)
    start = np.ones((*leading, 2))
    for given in (start, torch.tensor(start), start.tolist()):
        everything = gd.iterate(game, rule, given, 10)
        assert tuple(everything.w.shape) == (11, *leading, 2)
        assert tuple(gd.iterate(game, rule, given, 10, record="last").w.shape) == (*leading, 2)
        strided = gd.iterate(game, rule, given, 10, record=4)
        assert tuple(strided.w.shape) == (3, *leading, 2)
        assert list(strided.t) == [0, 4, 8]
        assert (np.asarray(strided.w) == np.asarray(everything.w[::4])).all()
        assert tuple(np.shape(everything.costs[0])) == (11, *leading)
        assert np.shape(everything.steps) == leading
        assert everything.counts.fields == 11  # one a step, and the first field of the optimistic rule
    assert isinstance(gd.iterate(game, rule, torch.tensor(start), 2).w, torch.Tensor)
    assert (start == 1).all()  # what was passed in is left alone


def test_no_steps_and_integers_are_fine():
    path = gd.iterate(gd.games.bilinear(), gd.rules.GDA(0.1), [1, 2], 0)
    assert path.w.tolist() == [[1.0, 2.0]]
    assert path.w.dtype == np.float64


def test_augmented_state_belongs_to_the_map():
    """z = (w, state arrays): optimism has four coordinates on a game of two, and its spectral radius is z's."""
    traced = gd.update_map(gd.games.bilinear(), gd.rules.OptimisticGD(0.25))
    assert len(traced.symbols) == 4
    assert traced.jacobian.shape == (4, 4)
    found = gd.linearize(gd.games.bilinear(), gd.rules.OptimisticGD(0.25), at=[0, 0])
    assert math.isclose(found.spectral_radius, math.sqrt((1 + math.sqrt(0.75)) / 2), rel_tol=1e-12)
    assert found.matrix.shape == (4, 4)
    flow = gd.linearize(gd.games.bilinear(), at=[0, 0])
    np.testing.assert_allclose(np.sort(flow.eigenvalues.imag), [-1, 1], rtol=1e-12)
    assert abs(flow.spectral_abscissa) < 1e-15


def test_results_speak_to_people_and_to_json():
    results = [
        gd.iterate(gd.games.bilinear(), gd.rules.GDA(0.1), [1.0, 0.0], 5),
        gd.flow(gd.games.bilinear(), [1.0, 0.0], 1.0),
        gd.update_map(gd.games.bilinear(), gd.rules.GDA(0.1)),
        gd.linearize(gd.games.bilinear(), gd.rules.GDA(0.1), at=[0, 0]),
        gd.linearize(gd.games.dirac_gan(), at=[0, 0]),
    ]
    for result in results:
        assert len(result.summary()) > 20
        assert json.loads(json.dumps(result.to_dict(), allow_nan=False))
        assert callable(result.plot)
        assert dataclasses.is_dataclass(result)
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(result, dataclasses.fields(result)[0].name, None)


# --- the house --------------------------------------------------------------------------------------------------------


def test_ci_runs_the_readmes_own_command():
    """One line: environment and tests; a newcomer types it, and CI runs it as it stands."""
    ci = (ROOT / ".ci" / "run").read_text().splitlines()
    commands = [line for line in ci if "-m pytest" in line and "pip install" in line]
    assert len(commands) == 1
    assert commands[0] in (ROOT / "README.md").read_text()
    for tool in ("pytest -m slow", "ruff check", "ruff format --check", "mypy"):
        assert any(tool in line for line in ci), tool


def test_every_install_is_constrained():
    """Without the constraint pip takes gigabytes of CUDA packages."""
    for path in (ROOT / "README.md", ROOT / ".ci" / "run", *(ROOT / "docs").rglob("*.md")):
        for line in path.read_text().splitlines():
            if re.search(r"pip install .*(-e|gandyn|\.\[)", line):
                assert "-c constraints.txt" in line, f"{path.name}: {line}"


def test_the_licence_is_where_pyproject_says():
    assert "MIT License" in (ROOT / "LICENSE").read_text()
    assert 'license = "MIT"' in (ROOT / "pyproject.toml").read_text()


def test_public_names_are_found_where_they_once_stood_in_a_fresh_process():
    """A rule's decorator had vanished from `gandyn.rules`, and former paths needed that the games had been imported."""
    lines = (
        "from gandyn.penalties.base import Penalty",
        "from gandyn.rules.base import step_size",
        "from gandyn.types.restricted import RestrictedGame",
        "from gandyn.analysis.classification import classify, critical_time_scale",
        "from gandyn.analysis.rates import ergodic_average, fit_rate",
        "from gandyn.analysis.conserved import ConservedQuantity, conserved_quantities",
        "from gandyn.analysis.local import LocalDynamics",
        "from gandyn.rules import *; register",
        *(f"from gandyn.{room} import *" for room in ("games", "losses", "penalties", "classes", "noise", "analysis")),
    )
    found = subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("name", ["linearize", "stability", "classification", "cycles", "rates", "worst_case", "path"])
def test_modules_are_found_under_their_former_names_too(name):
    """`from gandyn.analysis.linearize import Verdict` was documented; the file now stands in a folder."""
    import importlib
    import sys

    before = getattr(gd.analysis, name, None)
    module = importlib.import_module(f"gandyn.analysis.{name}")
    assert module.__file__.endswith(".py")
    assert f"analysis/{name}" not in module.__file__.replace("\\", "/")
    del sys.modules[f"gandyn.analysis.{name}"]
    if before is None:
        delattr(gd.analysis, name)
    else:
        setattr(gd.analysis, name, before)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("gandyn.analysis.never")
