"""What a proof leaves behind: facts with interval values, the place where it failed, and pieces of parameter ranges."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from ...types import Array
from .ball_matrices import ends, points
from .enclosures import Range
from .proven_basin import Ellipsoid

STEPS = ("existence", "attraction", "uniqueness", "basin")
Interval = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Step:
    """One proven fact: what it says, for which parameters, with the interval values behind it."""

    name: str
    fact: str
    parameters: dict[str, Interval]
    values: dict[str, Any]

    def __str__(self) -> str:
        where = shown(self.parameters)
        values = "; ".join(f"{k} in [{v[0]:.6g}, {v[1]:.6g}]" for k, v in self.values.items())
        return f"{self.name}: {self.fact}" + (f", for {where}" if where else "") + (f" ({values})" if values else "")


@dataclasses.dataclass(frozen=True)
class Failure:
    """What stopped a proof, and where."""

    step: str  # existence, attraction, uniqueness or basin
    reason: str  # in words
    refuted: bool  # the claim is proven to be false there; else the arithmetic could not decide
    # the sub-ranges that are left without a proof, as one hull; empty without parameters
    parameters: dict[str, Interval]
    box: tuple[Interval, ...]  # the sub-box of augmented coordinates at which one of them failed
    values: dict[str, Any]  # intervals there

    def __str__(self) -> str:
        where = shown(self.parameters)
        place = " x ".join(f"[{a:.6g}, {b:.6g}]" for a, b in self.box)
        values = "; ".join(f"{k} in [{v[0]:.6g}, {v[1]:.6g}]" for k, v in self.values.items())
        certainty = "disproved" if self.refuted else "undecided"
        text = f"{self.step} {certainty}" + (f" within {where}" if where else "") + f": {self.reason}"
        return text + (f", in {place}" if place else "") + (f" ({values})" if values else "")


@dataclasses.dataclass(frozen=True)
class Piece:
    """A part of the parameter ranges, and what is proven for all parameter values in it."""

    ranges: tuple[Range, ...]
    fixed: Array
    values: dict[str, Any]
    boxes: int = 0
    guess: float = 0.0
    ellipsoid: Ellipsoid | None = None
    unique: bool = True

    @property
    def radius(self) -> float:
        """Radius of the ball of starts that are proven to converge; 0 where none is."""
        return 0.0 if self.ellipsoid is None else self.ellipsoid.radius

    def times(self, units: Array) -> Piece:
        """The piece of a proof in these units, in those of the game."""
        form = self.ellipsoid and dataclasses.replace(
            self.ellipsoid, transform=units[:, None] * self.ellipsoid.transform
        )
        balls = self.fixed * points(units)
        existence = {name: ends(b) for name, b in zip(self.values["existence"], balls, strict=True)}
        return dataclasses.replace(self, fixed=balls, values=self.values | {"existence": existence}, ellipsoid=form)


def shown(parameters: Mapping[str, Interval]) -> str:
    """Parameter ranges as text, each with the name of its parameter."""
    return ", ".join(f"{name} in [{low:.6g}, {high:.6g}]" for name, (low, high) in parameters.items())


def named(spans: Sequence[Range], names: Sequence[str]) -> dict[str, Interval]:
    """A dictionary from the names of parameters to their ranges (low, high) in floats."""
    return {name: (float(low), float(high)) for name, (low, high) in zip(names, spans, strict=True)}


def facts(piece: Piece, names: Sequence[str], unproven: bool) -> list[Step]:
    """The facts that are proven for one part of the parameter ranges.

    `unproven` says whether another part failed before uniqueness was tested on all of them.
    """
    where = named(piece.ranges, names)
    steps = [
        Step("existence", "exactly one fixed point lies in these intervals", where, piece.values["existence"]),
        Step("attraction", piece.values["how"], where, piece.values["attraction"]),
    ]
    if piece.unique and not unproven:
        steps.append(Step("uniqueness", f"no other fixed point in the box ({piece.boxes} sub-boxes)", where, {}))
    if piece.ellipsoid is not None:
        fact = f"every start within {piece.ellipsoid.radius:.6g} of the fixed point converges to it"
        if piece.ellipsoid.steps > 1:
            fact += f"; V falls over every {piece.ellipsoid.steps} steps"
        steps.append(Step("basin", fact, where, {}))
    return steps
