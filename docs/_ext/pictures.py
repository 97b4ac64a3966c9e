"""Pictures of the catalogue, drawn by the library while the docs are built; redrawn only when the package changed."""

from __future__ import annotations

import functools
import hashlib
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import markdown
import numpy as np
import sympy

import gandyn as gd
from gandyn.errors import GandynError
from gandyn.rules.wrapper import scaled

FOLDER = pathlib.Path(__file__).parent.parent / "generated" / "pictures"
STEPS = {"bilinear": 120, "dirac": 300}
Drawn = tuple[str, str] | None


@functools.cache
def fingerprint() -> str:
    """Of the package's sources and of this file: a picture is as old as what drew it."""
    package = pathlib.Path(gd.__file__).parent
    sources = [*sorted(package.rglob("*.py")), pathlib.Path(__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


def keep(name: str, draw: Callable[[], Any]) -> str:
    """Draw and save a picture unless it is there from the same sources; its path from the root of the docs.

    A picture that cannot be drawn saves no file, and `draw` is asked again at the next build.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    stamp = FOLDER / "fingerprint"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != fingerprint():
        for old in FOLDER.glob("*.svg"):
            old.unlink()
        stamp.write_text(fingerprint(), encoding="utf-8")
    path = FOLDER / f"{name}.svg"
    if not path.exists():
        draw().save(path)
    return f"/generated/pictures/{path.name}"


def _runs(rules: Sequence[Any], game: Any, start: Any, steps: int) -> tuple[dict[str, Any], list[str]]:
    """Trajectories by label, and the labels of the rules that refuse this game."""
    runs, refused = {}, []
    for label, rule in labelled(rules).items():
        try:
            run = gd.iterate(game, rule, start, steps)
        except GandynError:
            refused.append(label)
            continue
        if run.steps:
            runs[label] = run
    return runs, refused


def labelled(rules: Sequence[Any]) -> dict[str, Any]:
    """By name; by the parameters after the first where a name comes twice."""
    names = [rule.name for rule in rules]
    calls = [markdown.short(rule).partition(", ")[2].removesuffix(")") for rule in rules]
    unique = [name if names.count(name) == 1 else call or name for name, call in zip(names, calls, strict=True)]
    return dict(zip(unique, rules, strict=True))


def _portrait(key: str, rules: Sequence[Any], game: Any, start: Any, steps: int, what: str) -> Drawn:
    runs, refused = _runs(rules, game, start, steps)
    if not runs:
        return None
    path = keep(key, lambda: gd.plots.phase_portrait(game, trajectories=runs))
    caption = f"On {what}: {steps} steps from ({', '.join(f'{x:g}' for x in start)})."
    if refused:
        caption += f" Outside its domain here: {', '.join(f'`{name}`' for name in refused)}."
    return path, caption


def on_bilinear(family: str, rules: Sequence[Any]) -> Drawn:
    """The rules' paths on v = ab."""
    game = gd.games.bilinear()
    return _portrait(f"{family}-bilinear", rules, game, (1.0, 0.0), STEPS["bilinear"], "$v(a, b) = ab$")


def on_dirac_gan(family: str, rules: Sequence[Any]) -> Drawn:
    """The rules' paths on the minimax Dirac-GAN."""
    game = gd.games.dirac_gan()
    return _portrait(f"{family}-dirac", rules, game, (1.0, 1.0), STEPS["dirac"], "the Dirac-GAN (minimax loss)")


# --- spectral radius against the step -------------------------------------------------------------------------------


def first_step(rule: Any, game: Any) -> float | None:
    """The first player's step size, of the rule itself or of the rule that it wraps."""
    lr = getattr(rule, "lr", None)
    if lr is not None:
        return float(game.per_player(lr)[0])
    inner = getattr(rule, "inner", None)
    inner = inner[0] if isinstance(inner, tuple) else inner
    return None if inner is None else first_step(inner, game)


def radius_curve(rule: Any, steps: np.ndarray) -> np.ndarray | None:
    """Spectral radius on v = ab at each step size, all step sizes of the rule kept in their ratio; None without one."""
    game = gd.games.bilinear()
    s = sympy.Symbol("s", positive=True)
    try:
        rule.check(game)
        lr = first_step(rule, game)
        if lr is None or not rule.domain.smooth:
            return None
        moved = scaled(rule, game, (s / sympy.nsimplify(repr(lr)),) * 2)
        matrix = gd.linearize(game, moved).exact.matrix
    except (GandynError, AttributeError, TypeError):
        return None
    if matrix.free_symbols != {s}:
        return None
    function = sympy.lambdify(s, matrix, "numpy")
    return np.array([np.abs(np.linalg.eigvals(np.array(function(x), dtype=complex))).max() for x in steps])


def radius_by_step(family: str, rules: Sequence[Any]) -> Drawn:
    """How the spectral radius on v = ab depends on the step size."""
    steps = np.linspace(0.0, 1.5, 151)[1:]
    curves = {label: radius_curve(rule, steps) for label, rule in labelled(rules).items()}
    curves = {name: curve for name, curve in curves.items() if curve is not None}
    if not curves:
        return None
    path = keep(f"{family}-radius", lambda: draw_radii(steps, curves))
    caption = (
        "Spectral radius of the update map on $v(a, b) = ab$ against the step size, from the traced map: "
        "below the line at 1 the rule converges. Other parameters are kept."
    )
    return path, caption


def draw_radii(steps: np.ndarray, curves: dict[str, np.ndarray]) -> Any:
    """One line a rule."""
    from gandyn.plots.drawing import Drawing
    from gandyn.plots.style import QUIET, series_styles

    with gd.plots.house_style():
        figure = Drawing(height=0.7)
        axes = figure.add_subplot()
        axes.axhline(1.0, color=QUIET, linewidth=0.8, linestyle="--")
        styles = series_styles(list(curves), [False] * len(curves))
        for name, curve in curves.items():
            axes.plot(steps, curve, color=styles[name].colour, linewidth=styles[name].width, label=name)
        axes.set(xlim=(0, steps[-1]), ylim=(0, 2), xlabel="step size", ylabel="spectral radius")
        figure.legend(loc="outside lower center", ncols=2)
        figure.data.update(steps=steps, **curves)
    return figure
