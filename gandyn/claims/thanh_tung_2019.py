"""Claims of Thanh-Tung, Tran & Venkatesh 2019, "Improving generalization and stability of GANs": the penalty 0-GP."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..penalties import registry as penalties
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, same_expressions
from .falsify import converges


def _global(loss: str, penalty: str, gamma: str) -> Evidence:
    """d(theta^2 + phi^2)/dt = -2 gamma phi^2, and runs from far away."""
    import sympy

    game = games.dirac_gan(loss, penalty=f"{penalty}({gamma})")
    theta, phi = game.symbols
    growth = -2 * sum(w * v for w, v in zip(game.symbols, game.field_exprs, strict=True))
    law = same_expressions(growth, -2 * sympy.Rational(gamma) * phi**2)
    if not law:
        return law
    start = [[3.0, -2.0], [0.0, 2.0], [-2.0, 0.5]]
    run = converges(rules.GDA(0.05), game, start=start, steps=20_000)
    only_origin = same_expressions(game.field_exprs[1].subs(phi, 0), -theta * abs(_slope(loss)))
    return all_of(law, only_origin, Evidence(bool(run), run.summary()))


def _slope(loss: str) -> Any:
    import sympy

    return sympy.Integer(1) if loss == "wasserstein" else sympy.Rational(1, 2)


def _penalised() -> Any:
    from hypothesis import strategies as st

    return st.fixed_dictionaries(
        {
            "loss": st.sampled_from(["minimax", "wasserstein"]),
            "penalty": st.sampled_from(["ZeroCentered", "R1"]),
            "gamma": st.sampled_from(["0.2", "0.5", "1", "2"]),
        }
    )


register(
    Claim(
        name="thanh_tung_2019.global_convergence",
        statement="With a zero-centred penalty of weight gamma > 0 (0-GP between data and samples, or R1) the flow "
        "of the "
        "zero-sum Dirac-GAN has d(theta^2 + phi^2)/dt = -2 gamma phi^2, and phi stays 0 only at the origin: it "
        "converges "
        "from every start (LaSalle), and so do short steps.",
        latex=r"\tfrac{d}{dt}(\theta^2 + \varphi^2) = -2\gamma\varphi^2",
        source="Thanh-Tung et al. 2019, section 5 (0-GP), on the Dirac-GAN; Mescheder et al. 2018, section 4.1, for R1",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_global,
        hypotheses=_penalised,
        outside=(
            Outside(
                "a target of one",
                lambda: {"loss": "wasserstein", "penalty": "WGANGP", "gamma": "1"},
                restore=lambda: {"penalty": "R1"},
            ),
            Outside(
                "weight 0",
                lambda: {"loss": "minimax", "penalty": "ZeroCentered", "gamma": "0"},
                restore=lambda: {"gamma": "1"},
            ),
            Outside(
                "least squares, with damping of its own",
                lambda: {"loss": "least_squares", "penalty": "R1", "gamma": "1"},
                restore=lambda: {"loss": "minimax"},
            ),
        ),
        mutants=(
            Mutant("penalties/base.py", "* squared_slope / 2", "* squared_slope"),
            Mutant("games/dirac.py", "** 2).subs(x, points)", "** 2).subs(x, points) * points"),
        ),
        draws=12,
    )
)


def _certified(gamma: tuple[float, float], step: tuple[float, float]) -> Evidence:
    """Uniqueness in the box, attraction and a basin, by ball arithmetic, for all weights and steps of the ranges."""
    from ..analysis.certificates.certify import certify

    game = games.dirac_gan(penalty=penalties["ZeroCentered"].build("gamma"))
    box = [(-0.25, 0.25)] * 2
    proof = certify(game, rules.GDA("lr"), box=box, parameters={"lr": step, "gamma": gamma}, effort=300)
    return Evidence(proof.proven, proof.summary().splitlines()[1].strip())


register(
    Claim(
        name="thanh_tung_2019.certified_basin",
        statement="With 0-GP of any weight in [0.6, 0.8] simultaneous steps of any size in [0.1, 0.2] on the minimax "
        "Dirac-GAN converge to the equilibrium, the only one in the box, from every start within 1/4 of it.",
        latex=r"\gamma \in [0.6, 0.8],\ h \in [0.1, 0.2],\ \|w_0\| < \tfrac14 \;\Rightarrow\; w_t \to 0",
        source="Thanh-Tung et al. 2019, section 5 (0-GP), on the Dirac-GAN; ranges and basin proven here",
        how=How.CERTIFIED,
        origin=Origin.SHARPENED,
        conclusion=lambda gamma=(0.6, 0.8), step=(0.1, 0.2): _certified(gamma, step),
        outside=(
            Outside("weight 0", lambda: {"gamma": (0.0, 0.0)}),
            Outside(
                "a step beyond 4 gamma",
                lambda: {"gamma": (0.1, 0.1), "step": (0.5, 0.5)},
                restore=lambda: {"gamma": (0.6, 0.8)},
            ),
        ),
        mutants=(
            Mutant(
                "rules/gradient.py", "- game.per_coordinate(self.lr, w) * v", "+ game.per_coordinate(self.lr, w) * v"
            ),
            Mutant("penalties/base.py", "* squared_slope / 2", "* squared_slope / 200"),
        ),
    )
)
