"""The section of `gandyn analyze` on noise: the floor, the mean-square threshold, the best step for a budget."""

from __future__ import annotations

from typing import Any

from ..errors import DomainError, GandynError
from .section_text import both
from .sections import Section, Subject

STEPS, DISTANCE = 1000, 1.0


def noise_section(subject: Subject) -> Section:
    """What `gd.stationary` and `gd.mean_square` find at the point; numbers that do not exist say why."""
    from ..analysis.stochastic.mean_square import mean_square
    from ..analysis.stochastic.stationary import stationary

    section, game, rule = Section("Noise"), subject.drawn, subject.rule
    if rule is None:
        raise DomainError("the noise of the gradient flow, which takes no steps")
    law = stationary(game, rule, subject.noise, subject.place)
    section.add("noise", law.noise)
    if law.exists:
        section.add("noise floor", f"mean-square distance {law.mean_square_distance:.8g} ({law.kind})")
        section.add("mean", f"({', '.join(f'{x:.6g}' for x in law.mean)})")
        section.add("covariance", *map(", ".join, law.shown))
        section.add("autocorrelation", f"{law.autocorrelation_time:.6g} steps")
    elif law.exists is None:
        section.add("covariance", *([] if law.exact is None else (", ".join(map(str, r)) for r in law.exact.tolist())))
    else:
        section.add("noise floor", f"none: {law.reason}")
    section.data = {"noise": law.to_dict()}
    critical = _tried(lambda: mean_square(game, rule, subject.place, subject.noise).critical("lr"))
    limit = critical if isinstance(critical, str) else f"lr < {both(critical)}"
    section.add("mean-square limit", limit if critical != 0 else "none: second moments grow at short steps")
    best = _tried(lambda: law.best("lr", steps=STEPS, distance=DISTANCE))
    words = f"for {STEPS} steps from distance {DISTANCE:g}"
    shown = best if isinstance(best, str) else f"{best[0]:.6g} {words}: E|w - w*|^2 = {best[1]:.6g}"
    section.add("best noisy lr", shown)
    section.data["noise"] |= {
        "critical_lr": None if isinstance(critical, str) else str(critical),
        "best_lr": None if isinstance(best, str) else {"lr": best[0], "error": best[1], "steps": STEPS},
    }
    return section


def _tried(find: Any) -> Any:
    """What is found, or in a text why there is nothing."""
    try:
        return find()
    except GandynError as error:
        return f"none: {error.given}"
