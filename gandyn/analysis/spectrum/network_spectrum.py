"""What `gd.spectrum` returns: eigenvalues with residuals, bounds and how far each end can be believed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from ...errors import refuse_unknown
from ...lazy import torch
from ...oracles.product_check import ProductCheck
from ...results import Result
from ...types import Array, Game, Rule
from .solve import End, Resolution
from .targets import excess

MEASURES: dict[str, Callable[[Array], Array]] = {"LM": np.abs, "LR": np.real, "SR": np.real, "LI": np.imag}
NAMES = {"LM": "modulus", "LR": "real part", "SR": "real part", "LI": "imaginary part"}


@dataclasses.dataclass(frozen=True, repr=False)
class Spectrum(Result):
    """Eigenvalues at the ends of the spectrum of a matrix, with residuals.

    Attributes:
        game: the game.
        of: the matrix: "J", "S", "A", a player's name for its own Hessian, or "map" for a rule's update map.
        rule: the rule of that map, or None.
        ends: an `End` for each name "LM", "LR", "SR", "LI" asked for.
        bounds: for J, by name of the end, outer bound on the real part ("LR", "SR"), the imaginary part ("LI") or the
            modulus ("LM") of all eigenvalues, from the symmetric and antisymmetric parts (Bendixson 1902), computed by
            Lanczos iterations and not proven. nan where these did not converge, empty where no bounds were asked for.
        products: how many products with J or its transpose were made, bounds included; for a map that is
            differentiated automatically, products with its derivative.
        space: number of basis vectors of the Krylov space.
        seconds: duration of the computation.
        repeats: for several batches, by name of the end, eigenvalues (batches, k), sorted as in `ends`.
        conditions: what was held fixed: batch, batch statistics, whether the point was taken as an equilibrium.
        check: products with J at the point, compared with differences of the game's field; see `product_error`.
        point: the point at which the spectrum was taken, (d,).
        ritz: all Ritz values of the last space, which show the outline of the spectrum but are not accepted values.
    """

    game: Game
    of: str
    rule: Rule | None
    ends: dict[str, End]
    bounds: dict[str, float]
    products: int
    space: int
    seconds: float
    repeats: dict[str, Array]
    conditions: str
    point: Array
    ritz: Array
    check: ProductCheck | None = None

    _data = (
        "game parameters=game.dim of rule excess ends=_ends products space seconds conditions product_error converged"
    )
    _plot = "network_spectrum"

    @property
    def eigenvalues(self) -> Array:
        """The eigenvalues, complex, (k,) for each end, the most extreme first; ends in the order asked for."""
        return np.concatenate([self._values(end) for end in self.ends.values()])

    @property
    def vectors(self) -> Array:
        """Right eigenvectors as columns of unit length, complex torch, (n, k); n is d, or of a map its state."""
        return torch.cat([end.vectors for end in self.ends.values()], dim=-1)

    @property
    def residuals(self) -> Array:
        """The residuals |A x - lambda x| of unit eigenvectors x, by fresh products, (k,)."""
        return np.concatenate([end.residuals for end in self.ends.values()])

    @property
    def resolved(self) -> Array:
        """Which eigenvalues are accepted, (k,), by residual and condition number; the others are estimates."""
        return np.concatenate([end.resolved for end in self.ends.values()])

    @property
    def product_error(self) -> float | None:
        """Relative difference between products with J and central differences of the field; None if not compared.

        It is nan where the field has no differences to compare with. The comparison is in double precision, also for a
        network in single precision whose costs allow it. For a map that is differentiated automatically it is the
        larger of this difference and that of the map.
        """
        return None if self.check is None else self.check.error

    @property
    def converged(self) -> bool:
        """Whether the values at every end are accepted, and products with J agree with differences of the field."""
        if self.check is not None and not self.check.confirmed:  # nor where the field has no derivative: nan
            return False
        return all(end.resolution is not Resolution.UNRESOLVED for end in self.ends.values())

    @property
    def resolution(self) -> dict[str, Resolution]:
        """How far the values at each end can be trusted, by name of the end."""
        return {name: end.resolution for name, end in self.ends.items()}

    @property
    def excess(self) -> float | None:
        """The spectral radius of a map minus 1, to all digits; None for other matrices, or without LM."""
        if self.rule is None or "LM" not in self.ends:
            return None
        return float(excess(self.ends["LM"].values[:1])[0])

    @property
    def spectral_radius(self) -> float | None:
        """The spectral radius of a map, 1 + excess; None where `excess` is None."""
        return None if self.excess is None else 1 + self.excess

    def __getitem__(self, name: str) -> Spectrum:
        """The part of the spectrum at one end.

        Raises:
            UnknownNameError: for an end that was not asked for.
        """
        refuse_unknown("end of this spectrum", name, self.ends)
        repeats = {name: self.repeats[name]} if name in self.repeats else {}
        bounds = {name: self.bounds[name]} if name in self.bounds else {}
        return dataclasses.replace(self, ends={name: self.ends[name]}, repeats=repeats, bounds=bounds)

    def mean(self, name: str) -> Array:
        """Mean over batches of the modulus, real or imaginary part, whichever the named end measures, (k,)."""
        return self._measured(name).mean(0)

    def standard_error(self, name: str) -> Array:
        """Standard error of `mean` over batches, (k,); nan for a single batch."""
        measured = self._measured(name)
        return (
            measured.std(0, ddof=1) / len(measured) ** 0.5 if len(measured) > 1 else np.full(measured.shape[1], np.nan)
        )

    def _measured(self, name: str) -> Array:
        one = self[name]
        values = one.repeats.get(name, self._values(one.ends[name])[None])
        return MEASURES[name](values)

    def _values(self, end: End) -> Array:
        return end.values if self.rule is None else 1 + end.values

    def summary(self) -> str:
        """The first eigenvalue at each end, with residual, bound and error bar, and how far it can be trusted."""
        what = f"map of {self.rule!r}" if self.rule is not None else f"{self.of}"
        lines = [f"{what} on {self.game.name}, {self.game.dim} parameters; {self.conditions}"]
        for name, end in self.ends.items():
            value, residual = complex(self._values(end)[0]), float(end.residuals[0])
            row = f"{name}  {value.real:.8g} {'+' if value.imag >= 0 else '-'} {abs(value.imag):.8g}i"
            row += f"  (residual {residual:.1e}"
            if self.rule is not None and name == "LM":
                row += f", modulus - 1 = {self.excess:.6g}"
            if name in self.bounds:
                row += f", bound on the {NAMES[name]} {self.bounds[name]:.6g}"
            if name in self.repeats:
                row += f"; {NAMES[name]} over {len(self.repeats[name])} batches {self.mean(name)[0]:.5g}"
                row += f" +- {self.standard_error(name)[0]:.2g}"
            lines += [row + ")", f"    {end.resolution}"]
        if self.check is not None:
            lines.append(str(self.check) + ("" if not self.check.error > self.check.tolerance else ". Not confirmed"))
        lines.append(f"{self.products} products, {self.space} basis vectors, {self.seconds:.1f} s")
        return "\n".join(lines)

    @property
    def _ends(self) -> dict[str, object]:
        return {name: self._of_end(name, end) for name, end in self.ends.items()}

    def _of_end(self, name: str, end: End) -> dict[str, object]:
        found: dict[str, object] = {
            "eigenvalues": self._values(end),
            "residuals": end.residuals,
            "resolved": end.resolved,
            "resolution": end.resolution.name,
            "bound": self.bounds.get(name),
        }
        if name in self.repeats:
            found |= {"mean": self.mean(name), "standard_error": self.standard_error(name)}
        return found
