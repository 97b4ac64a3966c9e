"""What `linearize` returns: the linear part at a point, its spectrum, and what it decides."""

from __future__ import annotations

import dataclasses
import functools

from .fate import Fate, NonlinearDecision
from .formula import formula
from .linear_part import LinearPart
from .nonlinear import decide as decide_beyond
from .verdicts import Verdict, decide

# What `to_dict` holds only where the derivative exists and no parameter is free.
NUMBERS = (
    *("matrix", "eigenvalues", "spectral_radius", "spectral_abscissa"),
    *("rate", "rotation_number", "eigenvectors"),
)


@dataclasses.dataclass(frozen=True, repr=False)
class Linearization(LinearPart):
    """A linear part with its verdict: whether the point attracts, and by which argument (fields of `LinearPart`)."""

    _data = "game rule at symbols verdict fate reason nonlinear residual product_error equilibrium constraints note"

    @property
    def verdict(self) -> Verdict:
        """Whether the point attracts, repels, is a saddle or none of these, as its spectrum and constraints decide."""
        return self._decision[0]

    @property
    def fate(self) -> Verdict | Fate:
        """What becomes of starts near the point: the verdict, or where that is marginal what non-linear terms decide.

        Example:
            >>> import gandyn as gd
            >>> lin = gd.linearize(gd.games.dirac_gan("nonsaturating"))
            >>> str(lin.verdict), str(lin.fate)
            ('marginal', 'attracting')
        """
        beyond = self.nonlinear
        return self.verdict if beyond is None or beyond.verdict is Fate.UNDECIDED else beyond.verdict

    @property
    def reason(self) -> str:
        """The argument behind the verdict; at a marginal point, also that of the non-linear terms."""
        beyond = self.nonlinear
        return self._decision[1] if beyond is None else f"{self._decision[1]}; beyond it: {beyond.summary()}"

    @functools.cached_property
    def nonlinear(self) -> NonlinearDecision | None:
        """What non-linear terms decide where the verdict is marginal; None where the linear part decides."""
        return decide_beyond(self) if self.verdict is Verdict.MARGINAL else None

    def worded(self, verdict: str) -> str:
        """A verdict or fate with the starts of which it speaks: "locally", those near the point, unless the dynamics is
        affine, where it holds for all.

        Example:
            >>> import gandyn as gd
            >>> near, everywhere = gd.linearize(gd.games.forsaken()), gd.linearize(gd.games.quadratic(1, 2, 1))
            >>> near.worded(near.fate), everywhere.worded(everywhere.fate)
            ('attracting locally', 'attracting')
        """
        near = verdict.startswith(("attracting", "conservative"))
        return f"{verdict} locally" if near and not self.describes_all else str(verdict)

    @property
    def describes_all(self) -> bool:
        """Whether the linear part decides about every start: the dynamics is affine and has no constraints."""
        return self.affine and self.constraints is None

    @functools.cached_property
    def _decision(self) -> tuple[Verdict, str]:
        return decide(self)

    def summary(self) -> str:
        """The point, the spectrum, the verdict and its reason, as text."""
        lines = [self._subject()]
        if self.exact is not None and self.exact.matrix.rows <= 6 and not self.obstacle:
            lines.append(f"characteristic polynomial: {self.exact.charpoly}")
        if not self.obstacle and self.numeric is not None:
            shown = ", ".join(f"{v:.6g}" for v in self.eigenvalues)
            lines.append(f"eigenvalues: {shown or 'none: a corner has no feasible direction along it'}")
            measure = ("spectral abscissa", self.spectral_abscissa)
            if self.rule is not None:
                measure = ("spectral radius", self.spectral_radius)
            lines.append(f"{measure[0]}: {measure[1]:.12g}")
            unit = "time" if self.rule is None else "step"
            lines.append(f"rate: {self.rate:.6g} per {unit}; rotation number: {self.rotation_number:.6g} per {unit}")
        if self.product_error is not None:
            lines.append(f"matrix against central differences: {self.product_error:.1e}")
        linear = f"{self.worded(self.verdict)} ({self._decision[1]})"
        if self.nonlinear is None:
            lines.append(f"verdict: {linear}")
        elif self.fate is self.verdict:
            lines += [f"verdict: {linear}", f"beyond the linear part: {self.nonlinear.summary()}"]
        else:
            fate, argument = self.worded(self.fate), self.nonlinear.summary().partition(": ")[2]
            lines += [f"verdict: {fate}: {argument}", f"linear part: {linear}"]
        return "\n".join(lines)

    def latex(self) -> str:
        r"""DF at the point (-J for the flow) and its characteristic polynomial, with η, β, γ as papers write them.

        Example:
            >>> import gandyn as gd
            >>> print(gd.linearize(gd.games.bilinear(), gd.rules.GDA("lr")).latex())
            \begin{aligned}
            DF(w^*) &= \left[\begin{matrix}1 & - \eta\\\eta & 1\end{matrix}\right] \\
            \chi(\lambda) &= \lambda^{2} - 2 \lambda + \eta^{2} + 1
            \end{aligned}
        """
        if self.exact is None or self.obstacle:
            return ""
        known = self.numeric is not None
        measure = (self.spectral_abscissa if self.rule is None else self.spectral_radius) if known else None
        return formula(self.exact, measure)

    def _headline(self) -> str:
        return f"{self._subject()}: {self.worded(self.verdict)}"

    def _contents(self) -> dict[str, object]:
        known = not self.obstacle and self.numeric is not None
        found = super()._contents() | {name: getattr(self, name) if known else None for name in NUMBERS}
        if self.exact is not None and not self.obstacle:
            found["characteristic_polynomial"] = self.exact.charpoly
        return found
