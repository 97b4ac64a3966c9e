"""Claims of Thanh-Tung, Tran & Venkatesh 2019, "Improving generalization and stability of GANs": the penalty 0-GP."""

from __future__ import annotations

from hypothesis import strategies as st

from .. import analysis, games, rules
from ..lazy import sympy
from ..penalties import registry as penalties
from .declare import Evidence, Paper, certified, drawn, fails, formula
from .evidence import all_of, same_expressions
from .falsify import converges

thanh = Paper("thanh_tung_2019")


@thanh.sharpened("Thanh-Tung et al. 2019, section 5 (0-GP), on the Dirac-GAN; R1: Mescheder et al. 2018, section 4.1")
@formula(r"\tfrac{d}{dt}(\theta^2 + \varphi^2) = -2\gamma\varphi^2")
@drawn(
    12,
    loss=st.sampled_from(["minimax", "wasserstein"]),
    penalty=st.sampled_from(["ZeroCentered", "R1"]),
    gamma=st.sampled_from(["0.2", "0.5", "1", "2"]),
)
@fails("a target of one", lambda: {"loss": "wasserstein", "penalty": "WGANGP", "gamma": "1"}, penalty="R1")
@fails("weight 0", lambda: {"loss": "minimax", "penalty": "ZeroCentered", "gamma": "0"}, gamma="1")
@fails(
    "least squares, with damping of its own",
    lambda: {"loss": "least_squares", "penalty": "R1", "gamma": "1"},
    loss="minimax",
)
def global_convergence(loss: str, penalty: str, gamma: str) -> Evidence:
    """With a zero-centred penalty of weight gamma > 0 (0-GP between data and samples, or R1) the flow of the zero-sum
    Dirac-GAN has d(theta^2 + phi^2)/dt = -2 gamma phi^2, and phi stays 0 only at the origin: it converges from every
    start (LaSalle), and so do short steps.
    """
    game = games.dirac_gan(loss, penalty=f"{penalty}({gamma})")
    theta, phi = game.symbols
    slope = 1 if loss == "wasserstein" else sympy.Rational(1, 2)
    growth = -2 * sum(w * v for w, v in zip(game.symbols, game.field_exprs, strict=True))
    law = same_expressions(growth, -2 * sympy.Rational(gamma) * phi**2)
    if not law:
        return law
    start = [[3.0, -2.0], [0.0, 2.0], [-2.0, 0.5]]
    run = converges(rules.GDA(0.05), game, start=start, steps=20_000)
    only_origin = same_expressions(game.field_exprs[1].subs(phi, 0), -theta * slope)
    return all_of(law, only_origin, Evidence(bool(run), run.summary()))


@thanh.sharpened("Thanh-Tung et al. 2019, section 5 (0-GP), on the Dirac-GAN; ranges and basin proven here")
@certified(r"\gamma \in [0.6, 0.8],\ h \in [0.1, 0.2],\ \|w_0\| < \tfrac14 \;\Rightarrow\; w_t \to 0")
@fails("weight 0", lambda: {"gamma": (0.0, 0.0)})
@fails("a step beyond 4 gamma", lambda: {"gamma": (0.1, 0.1), "step": (0.5, 0.5)}, gamma=(0.6, 0.8))
def certified_basin(gamma: tuple[float, float] = (0.6, 0.8), step: tuple[float, float] = (0.1, 0.2)) -> Evidence:
    """With 0-GP of any weight in [0.6, 0.8] simultaneous steps of any size in [0.1, 0.2] on the minimax Dirac-GAN
    converge to the equilibrium, the only one in the box, from every start within 1/4 of it.
    """
    game = games.dirac_gan(penalty=penalties["ZeroCentered"].build("gamma"))
    box = [(-0.25, 0.25)] * 2
    proof = analysis.certify(game, rules.GDA("lr"), box=box, parameters={"lr": step, "gamma": gamma}, effort=300)
    return Evidence(proof.proven, proof.summary().splitlines()[1].strip())
