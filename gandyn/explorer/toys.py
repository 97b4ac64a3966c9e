"""The toys as the page opens them: where to start, what to predict, and the known answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from .. import games, penalties, rules
from .sliders import Turned, turned_entry


@dataclasses.dataclass(frozen=True)
class Toy:
    """A game on the page.

    Attributes:
        name: what the page calls it. game: with its sliders.
        start: where trajectories begin. reach: half the width of the picture.
        question, answer: to be predicted before the run, and what is known. Both plain text.
        conserved: functions of coordinates and sliders that never change, by the label of a rule; "" is the flow.
        steps: of each run, at first.
    """

    name: str
    game: Turned
    start: tuple[float, ...] = (1.0, 0.5)
    reach: float = 2.0
    question: str = ""
    answer: str = ""
    conserved: Mapping[str, str] = dataclasses.field(default_factory=dict)
    steps: int = 60


# (name, registered game, its arguments, start, reach, question, answer)
KNOWN: tuple[tuple[str, str, dict[str, Any], tuple[float, ...], float, str, str], ...] = (
    (
        "Bilinear, v = ab", "bilinear", {}, (1.0, 0.0), 2.0,
        "Simultaneous gradient steps of size η from (1, 0): in, around, or out?",
        "Out, for every η > 0: the eigenvalues are 1 ± iη, of modulus √(1 + η²). Alternating steps stay bounded for "
        "η < 2, optimistic steps go in for η < 1/√3 and extragradient for η < 1.",
    ),
    (
        "Bilinear with a boxed discriminator", "boxed_bilinear", {}, (1.0, 0.0), 2.0,
        "Player b is kept in [-1, 1] by projection. Does clipping make simultaneous steps converge?",
        "No. Inside the box the map is that of v = ab, which repels; the projection only keeps b from leaving.",
    ),
    (
        "Quadratic", "quadratic", {}, (1.0, 0.5), 2.0,
        "With a = b = c = 1, is there a step size at which simultaneous steps stop converging?",
        "Yes, at η = 1: the eigenvalues of the Jacobian are λ = 1 ± i, and |1 - ηλ| < 1 where η < 2 Re λ / |λ|² = 1.",
    ),
    (
        "Almost bilinear", "almost_bilinear", {"eps": 0.3}, (0.3, 0.2), 2.5,
        "The origin repels the gradient flow. Where does it go?",
        "To an attracting cycle: a small quartic term turns one of the circles of ab into a limit cycle.",
    ),
    (
        "Dirac-GAN, minimax loss", "dirac_gan", {"loss": "minimax"}, (1.0, 0.5), 2.5,
        "One data point, a generator that is one point, a linear discriminator. Does training converge?",
        "No. The Jacobian at the equilibrium has eigenvalues ± i/2: the flow circles, simultaneous steps spiral out.",
    ),
    (
        "Dirac-GAN, non-saturating loss", "dirac_gan", {"loss": "nonsaturating"}, (1.0, 0.5), 2.5,
        "Does the non-saturating loss cure the circling at the equilibrium?",
        "No. Both losses have the same eigenvalues ± i/2 there.",
    ),
    (
        "Dirac-GAN, Wasserstein loss", "dirac_gan", {"loss": "wasserstein"}, (1.0, 0.5), 2.5,
        "Does the Wasserstein loss cure it?",
        "No. It is the bilinear game: eigenvalues ± i, circles in continuous time.",
    ),
    (
        "Dirac-GAN, R1 penalty", "dirac_gan", {"loss": "minimax", "penalty": penalties.R1(0.3)}, (1.0, 0.5), 2.5,
        "Add γ/2 · φ² to the discriminator's cost. How large must γ be for the circling to stop altogether?",
        "Any γ > 0 makes the flow converge, with eigenvalues γ/2 ± √(γ²/4 - 1/4); from γ = 1 on they are real, and "
        "nothing turns any more.",
    ),
    (
        "Dirac-GAN, instance noise", "dirac_gan", {"loss": "minimax", "noise": 0.5}, (1.0, 0.5), 2.5,
        "Blur real and fake points with noise. Does the flow converge?",
        "Yes, locally: noise gives the discriminator curvature of its own, as R1 does.",
    ),
    (
        "Forsaken", "forsaken", {}, (0.5, 0.5), 1.6,
        "The equilibrium attracts the gradient flow from nearby. Can it from farther away?",
        "No: a cycle stands between. Runs from outside go to the outer, attracting cycle (Hsieh et al. 2021).",
    ),
    (
        "Nagarajan-Kolter", "nagarajan_kolter", {}, (0.6, 0.5), 2.0,
        "A generator a and a quadratic discriminator w. Where do runs end?",
        "At a = 1 or a = -1 with w = 0, where the generated distribution is that of the data.",
    ),
    (
        "Follow-the-ridge, first quadratic", "follow_the_ridge", {"function": 1}, (1.0, 0.5), 2.5,
        "The origin is a local minimax point. Do simultaneous steps find it?",
        "No: they are repelled (the flow has the eigenvalue 2 twice). Follow-the-ridge converges to it.",
    ),
    (
        "Exponential", "exponential", {}, (5.0, 7.0), 12.0,
        "Does the gradient flow converge to the origin from nearby?",
        "No: the origin is a saddle of the flow, with eigenvalues 2 and -2. From (5, 7) it leaves to where the "
        "envelope is flat.",
    ),
    (
        "Mixture of two modes, in data space", "mixture_game", {}, (0.4, 1.2, -0.3, -1.0, 0.0, 0.0, 0.0, 0.0), 3.0,
        "Two generated clouds look for the two clouds of the data, guided by a discriminator of four bumps. Do they "
        "arrive, and straight or on spirals?",
        "They arrive, on spirals: at the modes the flow has the eigenvalues -0.15 ± 0.26i, -0.15 ± 0.17i, "
        "-0.15 ± 0.15i, -0.10 and -0.20, for ρ = 0.3. Turn ρ, the discriminator's weight decay, down: simultaneous "
        "steps of size η stay with the modes only while ρ > 0.088 η, and for ρ = 0 they leave.",
    ),
    (
        "Tandem", "tandem", {}, (0.2, -0.4), 2.0,
        "Each player gains by pushing. Is there one equilibrium?",
        "No, a whole line: x + y = 1. One eigenvalue of every update map there is 1.",
    ),
)  # fmt: skip


# What is conserved on them, by name: what `gd.conserved_quantities` finds for the flow, "", and for rules.
CIRCLES, SEEN_FROM = {"": "a**2 + b**2", "AlternatingGD": "a**2 - lr*a*b + b**2"}, {"": "theta**2 + phi**2"}
CONSERVED: dict[str, dict[str, str]] = {
    "Bilinear, v = ab": CIRCLES,
    "Dirac-GAN, minimax loss": SEEN_FROM,
    "Dirac-GAN, Wasserstein loss": SEEN_FROM | {"AlternatingGD": "theta**2 - lr*theta*phi + phi**2"},
    "Tandem": {"": "x - y"},
}


STEPS = {"Mixture of two modes, in data space": 400}  # where a run takes longer than the usual 60 steps


def toys() -> list[Toy]:
    """The games that the explorer offers, in the order of its page."""
    found = []
    for name, game, arguments, start, reach, question, answer in KNOWN:
        turned = turned_entry(games.registry[game], arguments)
        found.append(Toy(name, turned, start, reach, question, answer, CONSERVED.get(name, {}), STEPS.get(name, 60)))
    return found


def usual_rules() -> list[Any]:
    """The rules that the page offers unless others are asked for; it opens with the first four."""
    lr = 0.2
    return [
        rules.SimultaneousGD(lr),
        rules.AlternatingGD(lr),
        rules.Extragradient(lr),
        rules.OptimisticGD(lr),
        rules.HeavyBall(lr, -0.3),
        rules.HeavyBall(lr, -0.3, alternating=True),
        rules.Consensus(lr, 0.5),
        rules.SGA(lr, 1.0, align=False),
        rules.CompetitiveGD(lr),
        rules.LinearizedCGD(lr),
        rules.PastExtragradient(lr),
        rules.Anchored(lr),
        rules.Lookahead(rules.SimultaneousGD(lr), 5, 0.5),
        rules.LEAD(lr, 0.2),
        rules.HamiltonianGradient(lr),
        rules.FollowTheRidge(lr),
        rules.RungeKutta(lr),
        rules.LOLA(lr),
        rules.StableOpponentShaping(lr),
        rules.Drift(lr, other_norm=0.1),
        rules.TimeScale(rules.SimultaneousGD(lr), 2),
        rules.Unrolled(lr, 3),
        rules.SGDM(lr, 0.5),
        rules.Adam(0.05, betas=(0.5, 0.9)),
        rules.ExtraAdam(0.05, betas=(0.5, 0.9)),
        rules.OptimisticAdam(0.05, betas=(0.5, 0.9)),
    ]
