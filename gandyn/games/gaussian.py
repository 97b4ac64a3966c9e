"""The Wasserstein GAN of Gaussians: a linear generator against a linear or quadratic critic, in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ParameterError, ShapeError
from ..lazy import sympy
from ..oracles.known_facts import Facts
from ..oracles.symbolic import SymbolicGame, from_sympy
from ..types import Parameter
from ..worlds import exact
from . import registry
from .quadratic import _matrix


@registry.register(
    "gaussian_wgan",
    examples=({}, {"mean": (1,), "covariance": ((4,),)}, {"mean": None, "covariance": ((4, 2), (2, 2))}),
)
def gaussian_wgan(mean: Sequence[object] | None = (3, 4), covariance: object = None) -> SymbolicGame:
    """f = E D(x) - E D(G(z)), x ~ N(mean, covariance), z ~ N(0, I), G(z) = m + L z, D(x) = u^T x + x^T W x.

    The generator minimises f over m and the lower triangle of L, the critic, high on real data, maximises it over u and
    the upper triangle of the symmetric W:

        f = u^T (mean - m) + tr W (covariance + mean mean^T - L L^T - m m^T).

    Without a covariance the shapes agree and only the means are learnt by a linear critic, f = u^T (mean - m): a
    bilinear game around (mean, 0) with flow eigenvalues +-i, which simultaneous steps leave and optimistic ones
    approach (Daskalakis et al. 2018, section 2; its figure has mean (3, 4), step 0.1). With mean None both means are
    0 and W alone is the critic. Equilibrium: m = mean, L the Cholesky factor, and a critic that is
    flat. In one dimension with covariance s^2 alone f = W (s^2 - L^2), with flow eigenvalues +-2 i s.

    The block order is (m, L row by row), (u, W row by row).

    Args:
        mean: p numbers, or None where both means are 0 and are not learnt.
        covariance: positive definite, shape (p, p); None where both are equal and are not learnt.

    Raises:
        ParameterError: when both are None, or the covariance is not symmetric and positive definite.
        ShapeError: when their lengths differ.

    Example:
        >>> import gandyn as gd
        >>> gd.games.gaussian_wgan().equilibria
        ((3, 4, 0, 0),)
    """
    mu, sigma, p = _learnt(mean, covariance)
    generator: list[sympy.Expr] = []
    critic: list[Any] = []
    points: list[list[Any]] = [[], []]
    value = sympy.Integer(0)
    offset = sympy.zeros(p, p)
    if mu is not None:
        m, u = (sympy.Matrix(sympy.symbols(f"{name}1:{p + 1}", real=True)) for name in "mu")
        value += (u.T * (mu - m))[0]
        generator, critic, points = [*m], [*u], [[*mu], [0] * p]
        offset = mu * mu.T - m * m.T
    if sigma is not None:
        lower = sympy.Matrix(p, p, lambda i, j: sympy.Symbol(f"L{i + 1}{j + 1}", real=True) if j <= i else 0)
        upper = sympy.Matrix(p, p, lambda i, j: sympy.Symbol(f"W{min(i, j) + 1}{max(i, j) + 1}", real=True))
        value += (upper * (sigma - lower * lower.T + offset)).trace()
        factor = sigma.cholesky()
        triangle = [(i, j) for i in range(p) for j in range(i + 1)]
        generator += [lower[i, j] for i, j in triangle]
        critic += [upper[i, j] for j in range(p) for i in range(j, p)]
        points = [points[0] + [factor[i, j] for i, j in triangle], points[1] + [0] * len(triangle)]
    facts = Facts(
        source="Daskalakis et al. 2018, section 2",
        flow_eigenvalues=_spectrum(mu, sigma),
        conserved=(sum((a - b) ** 2 for a, b in zip(m, mu, strict=True)) + u.dot(u),) if sigma is None else (),
        starts=((0.0,) * (len(generator) + len(critic)),),
    )
    players = {"generator": generator, "discriminator": critic}
    return from_sympy(value, players, name="Gaussian WGAN", equilibria=[(*points[0], *points[1])], facts=facts)


def _learnt(mean: Sequence[object] | None, covariance: object) -> tuple[Parameter, Parameter, int]:
    """The mean (p, 1) and the covariance (p, p) as exact matrices, None where they are not learnt, and p."""
    if mean is None and covariance is None:
        raise ParameterError(
            "neither mean nor covariance", "a mean or a covariance for the generator to learn", "mean=(3, 4)"
        )
    mu: Parameter = None if mean is None else sympy.Matrix([exact(value) for value in mean])
    sigma: Parameter = None if covariance is None else _matrix(covariance)
    p = sigma.rows if mu is None else mu.rows
    if sigma is not None and sigma.shape != (p, p):
        raise ShapeError(
            f"a mean of length {p} and a covariance of shape {sigma.shape}",
            f"a covariance of shape ({p}, {p})",
            "one row and column for each entry of the mean",
        )
    if sigma is not None and not (sigma.is_symmetric() and sigma.is_positive_definite):
        raise ParameterError(f"the covariance {sigma.tolist()}", "a symmetric positive definite matrix", "use M M^T")
    return mu, sigma, p


def _spectrum(mu: Parameter, sigma: Parameter) -> tuple[tuple[sympy.Expr, ...], ...]:
    """Where it is short: means alone, or one dimension without means."""
    if sigma is None:
        return ((sympy.I, -sympy.I) * mu.rows,)
    if mu is None and sigma.rows == 1:
        return ((2 * sympy.I * sympy.sqrt(sigma[0]), -2 * sympy.I * sympy.sqrt(sigma[0])),)
    return ()
