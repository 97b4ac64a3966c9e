"""The Dirac-GAN: data at 0, a generator that is one point theta, a linear discriminator (Mescheder et al. 2018, def. 2.1)."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..losses import Loss, resolve
from ..penalties import Penalty
from ..penalties import registry as penalties
from . import registry
from .symbolic import SymbolicGame, from_sympy


@dataclasses.dataclass(frozen=True)
class DiracCritic:
    """The discriminator of the Dirac-GAN for penalties: logit s(x) = -phi x, real point 0, fake point theta."""

    phi: Any
    fake: Any
    real: Any

    def squared_slope(self, points: Any) -> Any:
        """|ds/dx|^2 at the points."""
        import sympy

        x = sympy.Dummy("x", real=True)
        return (sympy.diff(-self.phi * x, x) ** 2).subs(x, points)

    def mean(self, values: Any) -> Any:
        """Both distributions are single points."""
        return values


@registry.register(
    "dirac_gan",
    examples=(
        {},
        {"loss": "nonsaturating"},
        {"loss": "wasserstein"},
        {"penalty": "R1(0.3)"},
        {"loss": "nonsaturating", "penalty": "R1(0.3)"},
    ),
    aliases=("dirac-gan", "dirac"),
)
def dirac_gan(loss: Loss | str = "minimax", penalty: Penalty | str | None = None) -> SymbolicGame:
    """The Dirac-GAN with any loss of the catalogue and an optional penalty.

    Data are the point 0, samples the point theta, and D(x) = phi x is high on fakes, so the catalogue's logit, high on
    real, is s = -phi x. With L(t) = -log(1 + exp(-t)) the minimax game is f(theta, phi) = L(theta phi) + L(0); the
    Wasserstein game has L(t) = t; the non-saturating generator's cost is -L(-theta phi). R1 adds (gamma / 2) phi^2 to
    the discriminator's cost. Equilibrium (0, 0); flow eigenvalues there -gamma/2 +- sqrt(gamma^2/4 - L'(0)^2),
    L'(0) = 1/2 for the logistic losses and 1 for Wasserstein (Mescheder et al. 2018, lemma 2.3 and 4.1).

    The unpenalised minimax and non-saturating games have the same eigenvalues, +-i/2: the first conserves a function
    of (theta, phi) and circles, the second spirals in slowly.

    Args:
        loss: a loss, or its name in the catalogue.
        penalty: a penalty, or a call of one as text, such as "R1(0.3)".

    Example:
        >>> import gandyn as gd
        >>> gd.games.dirac_gan(loss="wasserstein").field_exprs
        (phi, -theta)
    """
    import sympy

    loss = resolve(loss)
    penalty = parse_penalty(penalty) if isinstance(penalty, str) else penalty
    theta, phi = sympy.symbols("theta phi", real=True)
    real, fake = sympy.Integer(0), theta
    discriminator = loss.real(-phi * real) + loss.fake(-phi * fake)
    generator = -discriminator if loss.zero_sum else loss.generator(-phi * fake)
    if penalty is not None:
        discriminator = discriminator + penalty.cost(DiracCritic(phi, fake, real))
    name = "Dirac-GAN" if penalty is None else f"Dirac-GAN with {type(penalty).__name__}"
    players = {"generator": [theta], "discriminator": [phi]}
    return from_sympy([generator, discriminator], players, name=name, equilibria=[(0, 0)])


def parse_penalty(text: str) -> Penalty:
    """A penalty from the text of a call with plain numbers, as a command line gives it: "R1(0.3)" or "WGANGP(0.7)"."""
    name, _, rest = text.partition("(")
    build = penalties[name.strip()].build
    values = [part.strip() for part in rest.rstrip(")").split(",") if part.strip()]
    positional = [_value(part) for part in values if "=" not in part]
    named = {k.strip(): _value(v) for k, v in (part.split("=", 1) for part in values if "=" in part)}
    penalty: Penalty = build(*positional, **named)
    return penalty


def _value(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text.strip()
