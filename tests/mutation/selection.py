"""Which fast tests speak of which file: the most specific first, and the wider ones for mutants that pass those."""

from __future__ import annotations

import fnmatch
import functools
import pathlib
import re

# Patterns of files, first match wins: test files without "test_" and ".py".
SPECIFIC: tuple[tuple[str, str], ...] = (
    ("types/*", "jacobians network_game network_products torch_games rules_dense rules_nonlinear"),
    ("rules/duality_gap.py", "duality_gap_rule rules_dense"),
    ("krylov/*", "rules_wrappers spectrum_krylov rules_dense rules_networks"),
    ("rules/competitive.py", "rules_wrappers rules_dense rules_nonlinear rules_networks"),
    ("rules/centralization.py", "rules_wrappers rules_optim rules_networks"),
    ("rules/clipping.py", "rules_wrappers rules_dense"),
    ("rules/schedule.py", "rules_wrappers rules_dense rules_published"),
    ("rules/proximal.py", "proximal_point rules_published rules_wrappers rules_dense"),
    ("rules/alternating.py", "rules_published properties rules_dense theory rules_optim"),
    ("rules/*", "rules_published rules_dense projection theory rules_nonlinear properties rules_wrappers rules_optim"),
    ("oracles/field_graph.py", "jacobians torch_games network_products rules_networks"),
    ("oracles/network.py", "network_game network_state network_loops jacobians rules_networks"),
    ("oracles/symbolic.py", "games_facts duality_gap_rule jacobians games_quadratic"),
    ("games/dirac.py", "dirac games_facts"),
    ("games/density.py", "games_distributions games_facts"),
    ("games/gaussian.py", "games_distributions games_facts"),
    ("games/parallel_lines.py", "games_distributions games_facts"),
    ("games/matrix.py", "games_matrix duality_gap recurrence games_facts"),
    ("games/mixture*.py", "games_mixture ring games_facts"),
    ("oracles/gaussian_mixture.py", "games_mixture ring games_facts"),
    ("games/prisoners.py", "games_other games_facts"),
    ("games/robust_regression.py", "games_other games_facts"),
    ("games/bilinear.py", "games_quadratic games_facts"),
    ("games/quadratic.py", "games_quadratic jacobians games_facts"),
    ("games/planted.py", "games_quadratic games_facts"),
    ("games/finite_sum.py", "games_quadratic games_facts"),
    ("oracles/projections.py", "games_quadratic games_matrix games_facts"),
    ("games/*", "games_planar games_facts"),
    ("oracles/*", "games_planar games_facts"),
    ("losses/*", "losses losses_optima losses_pairs dirac"),
    ("penalties/*", "penalties spectral_normalization dirac"),
    ("analysis/local/derivatives.py", "linearize constrained"),
    ("analysis/local/linear*.py", "linearize linearize_exactness"),
    ("analysis/local/verdicts.py", "linearize constrained"),
    ("analysis/local/constrained.py", "constrained"),
    ("types/feasible.py", "feasible constrained"),
    ("analysis/exact_numbers/routh.py", "stability"),
    ("analysis/parameters/stability.py", "stability"),
    ("analysis/parameters/fastest.py", "stability"),
    ("analysis/parameters/conditions.py", "thresholds stability"),
    ("analysis/parameters/thresholds.py", "thresholds stability"),
    ("analysis/parameters/freed.py", "freed"),
    ("analysis/local/decomposition.py", "classification"),
    ("analysis/backward_error/modified_flow.py", "modified drift"),
    ("analysis/backward_error/high_resolution.py", "high_resolution"),
    ("analysis/long_run/lyapunov_exponents.py", "lyapunov_exponents"),
    ("analysis/spectrum/path_angle.py", "path_angle"),
    ("analysis/measured/averages.py", "averages"),
    ("analysis/long_run/escape.py", "rates averages"),
    ("analysis/zeros/fixed_points.py", "linearize fixed_points exclusion"),
    ("analysis/measured/rates.py", "rates"),
    ("analysis/backward_error/drift_coefficients.py", "drift"),
    ("analysis/gap/gradient_flow.py", "gap_flow"),
    ("analysis/gap/box.py", "duality_gap_box"),
    ("analysis/gap/*", "duality_gap gap_flow"),
    ("symbolic/functions.py", "losses losses_optima dirac moments"),
    ("symbolic/expectation.py", "expectation dirac games_planar"),
    ("symbolic/lowering.py", "lowering kernels iterate"),
    ("symbolic/taylor.py", "linearize modified certify"),
    ("symbolic/limits.py", "limits linearize"),
    ("dynamics/eager.py", "iterate"),
    ("dynamics/iterate.py", "iterate"),
    ("dynamics/kernels.py", "kernels compiled_maps iterate"),
    ("dynamics/tensors.py", "kernels iterate"),
    ("dynamics/program.py", "lowering kernels"),
    ("dynamics/trace.py", "linearize kernels implicit"),
    ("dynamics/*flow.py", "flow"),
    ("dynamics/stacked.py", "flow"),
)
WIDER = {
    "types": "rules_networks duality_gap_rule",
    "krylov": "spectrum rules_networks",
    "rules": "stability modified comparison rules_networks",
    "games": "games_facts torch_games linearize",
    "oracles": "games_facts torch_games linearize",
    "losses": "network_game games_facts",
    "penalties": "network_game games_facts",
    "analysis": "classification nonlinear bifurcation theory games_planar dirac",
    "symbolic": "intervals balls implicit",
    "dynamics": "torch_games flow basins",
}


def test_files(names: str) -> list[str]:
    """Paths from the root; a name that no file has stands for one at the top of tests/."""
    return [_paths().get(f"test_{name}", f"tests/test_{name}.py") for name in names.split()]


@functools.cache
def _paths() -> dict[str, str]:
    tests = pathlib.Path(__file__).parent.parent
    return {path.stem: path.relative_to(tests.parent).as_posix() for path in tests.rglob("test_*.py")}


def stages(root: pathlib.Path, file: str) -> list[list[str]]:
    """Arguments of pytest, to be tried one list after the other until a test fails.

    A rule's own file has tests by its name; the rest of the same test files comes after them.
    """
    found = [name for pattern, name in SPECIFIC if fnmatch.fnmatch(file, pattern)]
    (own,) = test_files(pathlib.PurePath(file).stem)
    specific = test_files(found[0]) if found else []
    if not specific and (root / own).exists():
        specific = [own]
    doctests = f"gandyn/{file}"
    result = [[doctests, *specific]]
    names = re.findall(r"^@register\n(?:.*\n)*?class (\w+)", (root / "gandyn" / file).read_text("utf-8"), re.MULTILINE)
    if file.startswith("rules/") and names:
        result.insert(0, [*specific, "-k", " or ".join(names)])
    return [*result, test_files(WIDER[file.partition("/")[0]])]


NEAREST = 4


@functools.cache
def _bodies(root: pathlib.Path) -> list[tuple[pathlib.Path, str]]:
    return [(test, test.read_text(encoding="utf-8")) for test in sorted((root / "tests").rglob("test_*.py"))]


def nearest(root: pathlib.Path, file: str, scope: str) -> list[str]:
    """Test files that most likely notice a change in a function, found without a run: by folder, name and words.

    A file of tests scores for standing in the folder of the package's file, for words in its name, for naming the
    module, the function or class, and for the public names that the package's file defines.
    """
    path = pathlib.PurePath(file)
    text = (root / "gandyn" / file).read_text(encoding="utf-8")
    public = set(re.findall(r"^(?:def|class) ([A-Za-z]\w+)", text, re.MULTILINE))
    words, score = set(path.stem.split("_")), {}
    for test, body in _bodies(root):
        there = test.relative_to(root / "tests").parent
        same = there == path.parent or there.parts[:1] == path.parts[:1]
        named = any(re.search(rf"\b{n}\b", body) for n in {path.stem, *scope.split(".")} if n)
        uses = sum(len(re.findall(rf"\b{name}\(", body)) for name in public)
        score[test] = 6 * (there == path.parent) + 2 * same + 4 * len(words & set(test.stem.split("_")))
        score[test] += 5 * named + min(uses, 8)
    best = sorted(score, key=lambda test: -score[test])[:NEAREST]
    return [f"gandyn/{file}", *(test.relative_to(root).as_posix() for test in best)]
