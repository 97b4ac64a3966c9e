"""Claims of Miyato et al. 2018, "Spectral normalization for GANs": the Lipschitz bound, and power iteration."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st

from ..penalties import registry as penalties
from ..penalties.spectral_normalization import power_iteration as estimate
from ..types import Array
from .declare import Evidence, Paper, drawn, fails, formula
from .evidence import all_of, same_numbers

miyato = Paper("miyato_2018")


def _network(seed: int, widths: list[int], bound: float, normalised: bool, leak: float) -> tuple[list[Array], Array]:
    """Weights, and the network x -> W_L a(... a(W_1 x)), a(t) = t for t > 0 and leak * t below."""
    rng = np.random.default_rng(seed)
    normalise = penalties["SpectralNormalization"].build(bound=bound)
    weights = [3 * rng.normal(size=(m, n)) for n, m in itertools.pairwise(widths)]
    weights = [normalise.transform(w) for w in weights] if normalised else weights

    def logits(x: Array) -> Array:
        for k, w in enumerate(weights):
            x = x @ w.T
            x = np.where(x > 0, x, leak * x) if k + 1 < len(weights) else x
        return x

    return weights, logits


@miyato.says("Miyato et al. 2018, section 2.1 (the bound on the Lipschitz norm)")
@formula(r"\|f\|_{\mathrm{Lip}} \le \prod_{l=1}^{L} \sigma(W_l)")
@drawn(
    40,
    seed=st.integers(0, 999),
    widths=st.lists(st.integers(2, 6), min_size=2, max_size=4).map(lambda inner: [*inner, 1]),
    bound=st.floats(0.5, 2),
)
@fails("no normalisation", lambda: {"seed": 0, "widths": [3, 3, 1], "bound": 1.0, "normalised": False})
@fails("a steeper activation", lambda: {"seed": 0, "widths": [3, 3, 1], "bound": 1.0, "leak": 5.0})
def lipschitz_bound(seed: int, widths: list[int], bound: float, normalised: bool = True, leak: float = 0.1) -> Evidence:
    """A network whose weights are divided by their largest singular value (times a bound b), with activations that are
    1-Lipschitz, changes at most b^L times as fast as its input, L layers deep.

    Each layer's norm by SVD, and difference quotients of the network beside bound^L.
    """
    weights, logits = _network(seed, widths, bound, normalised, leak)
    norms = [np.linalg.svd(w, compute_uv=False)[0] for w in weights]
    x, y = np.random.default_rng(seed + 1).normal(size=(2, 400, widths[0]))
    y = x + 10.0 ** np.linspace(-4, 1, 400)[:, None] * y
    quotient = np.linalg.norm(logits(x) - logits(y), axis=-1) / np.linalg.norm(x - y, axis=-1)
    limit = bound ** len(weights)
    steepest = float(quotient.max())
    return all_of(
        same_numbers(norms, [bound] * len(weights), 1e-12),
        Evidence(bool(steepest <= limit * (1 + 1e-9)), f"steepest quotient {steepest:.4g}, bound {limit:.4g}"),
    )


@miyato.sharpened("Miyato et al. 2018, algorithm 1 and section 2.1; the closed form derived here")
@formula(r"\tilde\sigma_k^2 = \frac{\sum_i \sigma_i^{4k} c_i^2}{\sum_i \sigma_i^{4k-2} c_i^2} \le \sigma_1^2")
@drawn(40, seed=st.integers(0, 999), shape=st.tuples(st.integers(2, 6), st.integers(2, 6)), steps=st.integers(1, 6))
@fails(
    "a start orthogonal to the first left vector, in exact arithmetic",
    lambda: {"seed": 0, "shape": (4, 4), "steps": 2, "orthogonal": True},
)
def power_iteration(seed: int, shape: tuple[int, int], steps: int, orthogonal: bool = False) -> Evidence:
    """Power iteration from any left vector that is not orthogonal to the first one never exceeds the largest singular
    value and tends to it, with a relative error of at most (sigma_2/sigma_1)^(4k-2) sum c_i^2/c_1^2.

    The estimate beside sqrt(sum s^4k c^2 / sum s^(4k-2) c^2), c the start in the left singular vectors.
    """
    rng = np.random.default_rng(seed)
    matrix, start = rng.normal(size=shape), rng.normal(size=shape[0])
    left, values, _ = np.linalg.svd(matrix, full_matrices=False)
    start = start - orthogonal * left[:, 0] * (left[:, 0] @ start)
    c = (left.T @ start)[int(orthogonal) :]
    s = values[int(orthogonal) :]
    found = float(estimate(matrix, start, steps)[0])
    weights = (s / s[0]) ** (4 * steps - 2) * c**2
    closed = np.sqrt((weights * s**2).sum() / weights.sum())
    slack = (values[1] / values[0]) ** (4 * steps - 2) * float((c[1:] ** 2).sum() / c[0] ** 2)
    return all_of(
        same_numbers([found], [closed], 1e-9),
        Evidence(bool(found <= values[0] * (1 + 1e-12)), f"{found:.6g} below sigma {values[0]:.6g}"),
        Evidence(bool(values[0] - found <= values[0] * slack + 1e-12), f"within {slack:.2g} of it after {steps} steps"),
    )
