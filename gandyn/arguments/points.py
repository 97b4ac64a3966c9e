"""Points, ensembles and boxes at the door: real finite numbers, of the game's dimension."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence, Set

import numpy as np

from ..errors import ParameterError, PointError, shown
from ..lazy import sympy
from ..parameters import finite, is_number
from ..types import Array, Game
from ..worlds import exact, is_symbolic
from .values import rational

NUMERIC = ("start", "starts", "to", "w0", "w1", "centre", "attractors")
SEARCH = "at=gd.fixed_points(game, box=[(-2, 2)] * game.dim)[0].point"  # what gives a point to who has none


def point(name: str, value: Array, given: Mapping[str, object]) -> Array:
    """Return a point (d,) or an ensemble (..., d) that is not empty; refuse anything else, as `ensemble` does."""
    value = ensemble(name, value, given)
    if 0 in np.shape(value):
        raise PointError(f"{name}, an array of shape {tuple(np.shape(value))}", "one point or more", f"check {name}")
    return value


def _coordinates(value: Array) -> Array:
    """The coordinates of what `fixed_points` returns, one of them or several; anything else as it is."""
    if hasattr(value, "coordinates"):
        return value.coordinates
    several = isinstance(value, Sequence) and not isinstance(value, str) and len(value)
    return [p.coordinates for p in value] if several and all(hasattr(p, "coordinates") for p in value) else value


def ensemble(name: str, value: Array, given: Mapping[str, object]) -> Array:
    """Return a point (d,) or an ensemble (..., d) of finite numbers or SymPy expressions, d being the game's.

    `given` holds the other arguments of the call, with the game under "game". The results of `gd.fixed_points` are
    read as their coordinates.

    Raises:
        PointError: for anything else, and for a last axis of another length than d.
    """
    value, own = _coordinates(value), given.get("game")
    d = own.dim if isinstance(own, Game) else None
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        _tensor(name, value)
        shape = tuple(value.shape)
    elif hasattr(value, "__array__") or isinstance(value, (list, tuple)):
        shape = _array(name, value, own)
    elif not hasattr(value, "__len__") or isinstance(value, (str, bytes, Mapping, Set)):
        raise PointError(
            f"a {name} that is not an array of numbers: {shown(value)}",
            _needed(own),
            f"{name}={[1.0] * min(d or 2, 4)}",
        )
    else:
        shape = _array(name, list(value), own)
    if not shape or (d is not None and shape[-1] != d):
        fix = "put the players' blocks side by side on the last axis, player 1 first"
        raise PointError(f"{name}, an array of shape {shape}", _needed(own), fix)
    return value


def _needed(own: object) -> str:
    if not isinstance(own, Game):
        return "finite numbers of shape (..., d), the players' coordinates side by side"
    sizes = ", ".join(f"{p.name}: {p.size}" for p in own.players)
    return f"finite numbers of shape (..., {own.dim}), the coordinates of {own.name} ({sizes})"


def grid(name: str, value: object, given: Mapping[str, object]) -> object:
    """Return `value` where NumPy reads it as an array of numbers, of any shape; anything else has to be a `point`."""
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return point(name, value, given)
    if hasattr(value, "mask") and np.ma.is_masked(value):  # numpy.ma takes 15 ms to import
        return point(name, value, given)
    if name == "grid" and not array.size:
        raise ParameterError(f"a grid of shape {array.shape}", "one start or more", "[(-2, 2, 200)] * game.dim")
    return value


def _tensor(name: str, value: Array) -> None:
    kept = value.device.type != "meta" and str(value.layout) == "torch.strided"
    if not value.is_floating_point() or value.element_size() < 2 or not kept:  # numbers of 8 bits only store
        given = f"{name} of {value.dtype}, {value.layout}, on {value.device}"
        raise PointError(given, "dense floating-point numbers of 16 bits or more", f"{name}.to_dense().double()")
    if not bool(value.isfinite().all()):
        raise PointError(f"{name} with entries that are not finite", "finite numbers", f"check {name}")


def _array(name: str, value: object, own: object) -> tuple[int, ...]:
    if hasattr(value, "mask") and np.ma.is_masked(value):
        raise PointError(f"{name} with masked entries", _needed(own), f"{name}.filled(0.0), or leave those rows out")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        try:
            array = np.asarray(value, dtype=object)
        except ValueError:
            raise PointError(
                f"a {name} that is not an array of numbers: {shown(value)}", _needed(own), "rows of one length"
            ) from None
    if array.dtype.kind in "bcSVmM":
        raise PointError(f"{name} of {array.dtype.name}: {shown(value)}", _needed(own), "give real numbers")
    if array.dtype.kind == "U" and (array.ndim > 1 or name in NUMERIC):
        raise PointError(f"a {name} that is not an array of numbers: {shown(value)}", _needed(own), "give numbers")
    if array.dtype.kind in "OU":
        for entry in np.asarray(value, dtype=object).ravel():
            entry = exact(entry) if isinstance(entry, str) else entry
            if name in NUMERIC and is_symbolic(entry) and entry.free_symbols:
                raise PointError(f"a {name} with {shown(entry)} in it", _needed(own), "give every symbol a number")
            if isinstance(entry, (bool, complex)) or not (is_number(entry) or is_symbolic(entry) or rational(entry)):
                raise PointError(
                    f"a {name} that is not an array of numbers, with {shown(entry)} in it",
                    _needed(own),
                    "real numbers, or SymPy expressions",
                )
            if not finite(entry if not rational(entry) else entry.numerator // entry.denominator):
                raise PointError(f"{name} with entries that are not finite", "finite numbers", f"check {name}")
    elif not np.isfinite(array).all():
        raise PointError(f"{name} with entries that are not finite: {shown(value)}", "finite numbers", f"check {name}")
    return array.shape


def box(name: str, value: Array, given: Mapping[str, object]) -> Array:
    """Return one (low, high) pair for each coordinate, low <= high. Raises ParameterError for anything else."""
    own = given.get("game")
    d = own.dim if isinstance(own, Game) else None
    needed = f"{'' if d is None else f'{d} '}pairs (low, high), low <= high, one for each of the coordinates"
    refused = ParameterError(f"{name}={shown(value)}", needed, f"{name}=[(-1, 1)] * {d or 2}")
    if isinstance(value, (str, Mapping)) or not hasattr(value, "__len__"):
        raise refused
    pairs = list(value)
    if d is not None and len(pairs) != d:
        raise refused
    for pair in pairs:
        if isinstance(pair, (str, Mapping)) or not hasattr(pair, "__len__") or len(pair) != 2:
            raise refused
        try:
            low, high = (float(exact(end)) for end in pair)
        except (TypeError, ValueError):
            raise refused from None
        if not low <= high:
            raise refused
    return value


def numeric_equilibria(game: Game) -> list[tuple[sympy.Expr, ...]]:
    """The known equilibria of a game whose coordinates are numbers, without free parameters."""
    return [tuple(p) for p in game.equilibria if not any(getattr(x, "free_symbols", ()) for x in p)]


def given_or_known(game: Game, at: Array, fix: str = SEARCH) -> Array:
    """The point `at`, or the game's first known equilibrium where it is None.

    Raises:
        ParameterError: where `at` is None and no equilibrium is known; `fix` is the remedy that the message names.
    """
    if at is None and not game.equilibria:
        fix = "at=run.w of a training, or at=game.w0" if hasattr(game, "networks") else fix
        raise ParameterError(f"no point, and no known equilibrium of {game.name}", "a point", fix)
    return game.equilibria[0] if at is None else at


def box_array(game: Game, box: object, proper: bool = True) -> Array:
    """A box as an array of floats (d, 2), one row (low, high) for each coordinate.

    Raises:
        ParameterError: unless all ends are finite and low < high; where `proper` is false, unless low <= high.
    """
    try:
        found = np.asarray(box, dtype=float)
    except (TypeError, ValueError):
        found = np.empty(0)
    fits = found.shape == (game.dim, 2) and (found[:, 0] <= found[:, 1]).all()
    if not fits or (proper and not ((found[:, 0] < found[:, 1]).all() and np.isfinite(found).all())):
        needed = f"{game.dim} pairs (low, high), {'finite, low < high' if proper else 'low <= high'}, for {game.name}"
        raise ParameterError(f"box={box!r}", needed, "box=[(-2, 2)] * game.dim")
    return found
