"""`gandyn analyze`: game, field, update map, equilibrium, eigenvalues and verdict on one page."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from ..errors import DomainError, GandynError, ParameterError
from . import values

LONGEST = 100


def analyze(
    game: Annotated[str, typer.Argument(help="A registered game: gandyn list games.")],
    rule: Annotated[
        str | None, typer.Option(help="An update rule, by name or call; the gradient flow without.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the game or rule.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="The point, coordinates with commas; the known equilibrium.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Linearise a rule on a game, exactly.

    Prints the game, its field, the rule's update map, the equilibrium, eigenvalues and spectral radius (exact and as
    decimals), and the verdict with its reason. Without a rule, the same of the gradient flow.
    """
    from .. import games
    from ..analysis.linearize import linearize

    given = values.settings(set_ or [])
    entry = values.find(games.registry, game)
    built, used = values.build(entry, "game", given)
    entries = [entry]
    built_rule = None
    if rule is not None:
        built_rule, used_by_rule = values.build_rule(rule, given)
        used |= used_by_rule
        from .. import rules

        entries.append(values.find(rules.registry, built_rule.name))
    values.refuse_unused(given, used, entries)
    place = _point(built, at)
    lin = linearize(built, built_rule, at=place)
    if as_json:
        typer.echo(json.dumps(_data(built, built_rule, lin), indent=2))
    else:
        typer.echo("\n".join(_page(built, built_rule, lin)))


def _point(game: Any, at: str | None) -> Any:
    """The point asked for, or the known equilibrium, or the one that is found."""
    import numpy as np

    if at is not None:
        coordinates = values.point(at, "--at")
        game.check(np.array([float(x) for x in coordinates]))
        if not all(np.isfinite(float(x)) for x in coordinates):
            raise ParameterError(f"--at {at!r}", "finite numbers", "--at 0,0")
        return coordinates
    if game.equilibria:
        return None
    from ..analysis.fixed_points import fixed_points

    try:
        found = fixed_points(game)
    except ParameterError:
        found = fixed_points(game, box=[(-5.0, 5.0)] * game.dim)
    if not found:
        raise ParameterError(f"no equilibrium of {game.name} was found", "a point", f"--at {','.join('0' * game.dim)}")
    return found[0].point if found[0].exact is None else found[0].exact


def _map(game: Any, rule: Any) -> dict[str, str] | None:
    """The update map, one expression a coordinate of the augmented state; None where it is not symbolic."""
    from ..dynamics.trace import update_map

    try:
        traced = update_map(game, rule)
    except DomainError:
        return None
    return {str(s): str(e) for s, e in zip(traced.symbols, traced.expression, strict=True)}


def _exact(lin: Any) -> tuple[list[str], str | None] | None:
    """Exact eigenvalues and spectral radius or abscissa as text, where they have a closed form."""
    if lin.exact is None or lin.obstacle:
        return None
    try:
        measure = lin.exact.spectral_abscissa if lin.rule is None else lin.exact.spectral_radius
        return [str(e) for e in lin.exact.eigenvalues], str(measure)
    except GandynError:
        return None


def _data(game: Any, rule: Any, lin: Any) -> dict[str, Any]:
    exact = _exact(lin)
    data: dict[str, Any] = lin.to_dict()
    data["players"] = {player.name: player.size for player in game.players}
    data["zero_sum"] = game.zero_sum
    data["costs"] = [str(e) for e in getattr(game, "exprs", ())]
    data["field"] = [str(e) for e in getattr(game, "field_exprs", ())]
    data["map"] = None if rule is None else _map(game, rule)
    data["eigenvalues_exact"] = None if exact is None else exact[0]
    name = "spectral_abscissa_exact" if rule is None else "spectral_radius_exact"
    data[name] = None if exact is None else exact[1]
    return data


def _page(game: Any, rule: Any, lin: Any) -> list[str]:
    lines = [game.name, "=" * len(game.name)]
    sizes = ", ".join(f"{p.name} ({p.size})" for p in game.players)
    lines += _entry("players", [f"{sizes}; {'zero-sum' if game.zero_sum else 'general-sum'}"])
    symbols = getattr(game, "symbols", ())
    if symbols:
        costs = game.exprs[:1] if game.zero_sum else game.exprs
        names = ["f"] if game.zero_sum else [f"f_{p.name}" for p in game.players]
        lines += _entry("costs", [f"{n} = {_short(e)}" for n, e in zip(names, costs, strict=True)])
        lines += _entry("field", [f"v_{s} = {_short(e)}" for s, e in zip(symbols, game.field_exprs, strict=True)])
    lines += _entry("dynamics", ["gradient flow, dw/dt = -v(w)" if rule is None else repr(rule)])
    traced = None if rule is None else _map(game, rule)
    if traced is not None:
        lines += _entry("map", [f"{s}+ = {_short(e)}" for s, e in traced.items()])
    lines += _entry("point", [f"({', '.join(_number(x) for x in lin.at)})"])
    lines += _spectrum(lin)
    verdict = str(getattr(lin.verdict, "value", lin.verdict))
    lines += _entry("verdict", [verdict]) + _entry("because", [lin.reason])
    return lines


def _spectrum(lin: Any) -> list[str]:
    exact = _exact(lin)
    kind = "spectral abscissa" if lin.rule is None else "spectral radius"
    if lin.obstacle:
        return _entry("eigenvalues", ["none: the map has no derivative here"])
    if lin.numeric is None:
        if exact is None:
            return _entry("char. polynomial", [_short(lin.exact.charpoly)])
        return _entry("eigenvalues", exact[0]) + _entry(kind, [exact[1] or ""])
    lines = []
    if exact is None:
        shown = [_complex(v) for v in lin.eigenvalues]
    else:
        import sympy

        pairs = [(e, complex(sympy.N(e))) for e in lin.exact.eigenvalues]
        pairs.sort(key=lambda p: (-(p[1].real if lin.rule is None else abs(p[1])), -p[1].imag))
        shown = [f"{e}  =  {_complex(v)}" if _readable(str(e)) else _complex(v) for e, v in pairs]
        if not all(_readable(str(e)) for e, _ in pairs):
            lines += _entry("char. polynomial", [_short(lin.exact.charpoly)])
    lines += _entry("eigenvalues", shown)
    number = lin.spectral_abscissa if lin.rule is None else lin.spectral_radius
    text = exact[1] if exact and exact[1] and _readable(exact[1]) else None
    return lines + _entry(kind, [f"{number:.12g}" if text in (None, f"{number:.12g}") else f"{text}  =  {number:.12g}"])


def _entry(name: str, rows: list[str]) -> list[str]:
    width = 20
    return [f"{name if k == 0 else '':<{width}}{row}" for k, row in enumerate(rows)]


def _readable(text: str) -> bool:
    return "CRootOf" not in text and len(text) <= LONGEST


def _short(expression: Any) -> str:
    text = str(expression)
    return text if len(text) <= 4 * LONGEST else f"{text[: 4 * LONGEST]} ..."


def _number(x: Any) -> str:
    return f"{x:g}" if isinstance(x, float) else str(x)


def _complex(value: complex) -> str:
    real, imaginary = (0.0 if abs(part) < 1e-15 else part for part in (value.real, value.imag))
    return f"{real:.10g}" if imaginary == 0 else f"{real:.10g} {'+' if imaginary > 0 else '-'} {abs(imaginary):.10g}i"
