"""What a watch says in words: the question first, has it converged and when to stop, then the numbers behind it."""

from __future__ import annotations

from typing import Any

from ..budget import Budget
from ..gans.monitor import Row
from .optimisers import unstepped
from .verdicts import Kind

NAMES = {"LM": "largest modulus", "LR": "largest real part", "SR": "smallest real part", "LI": "largest imaginary part"}


def summary(watch: Any) -> str:
    """The text of `Watch.summary`: networks and time, a verdict for each loss, findings, and what was measured."""
    lines = [head(watch), *map(str, watch.verdicts.values()), f"converged? {converged(watch)}"]
    lines += [untrained(watch)] if untrained(watch) else []
    lines += [f"failure: {finding}" for finding in watch.findings] or ["no failure mode seen"]
    lines += [f"{name}: {text}" for name, text in measured(watch)]
    lines += [f"not measured: {name}: {why}" for name, why in watch.unmeasured().items()] if watch.rows else []
    errors = [row for row in watch.rows if "error" in row]
    if errors:
        failed = counted(len(errors), "look")
        lines.append(f"{failed} failed, the last at step {errors[-1]['step']}: {errors[-1]['error']}")
    return "\n".join(lines)


def untrained(watch: Any) -> str:
    """Which parameters no optimiser steps, in words; nothing where there are none, or where that is not known."""
    left = unstepped(watch.rule, watch.networks)
    more = f" and {len(left) - 4} more" if len(left) > 4 else ""
    return f"not trained: {', '.join(left[:4])}{more}, which no optimiser holds" if left else ""


def counted(number: int, what: str) -> str:
    """A number with its noun in the singular or plural: "1 look", "2 looks"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def so_far(watch: Any) -> str:
    """The steps that a watch has seen and its looks at them, in words: "600 steps, 5 looks"."""
    return f"{counted(watch.count, 'step')}, {counted(len(watch.rows), 'look')}"


def head(watch: Any) -> str:
    """Which networks, how many steps and looks, and the watch's share of the time."""
    share = "" if watch.share is None else f"; the watch took {100 * watch.share:.2g} % of the time"
    if watch.afterwards:
        share += f", and {watch.afterwards:.1f} s when asked"
    return f"watch of {', '.join(watch.names)}: {so_far(watch)}{share}"


def converged(watch: Any) -> str:
    """Whether the training has converged and when to stop, in one sentence.

    The verdicts on the losses answer where they can. Otherwise the newest duality gap does, if one was measured: where
    it is larger than twice its standard error, some network can still lower its own loss.
    """
    by_kind: dict[Kind, list[str]] = {}
    for one in watch.verdicts.values():
        by_kind.setdefault(one.kind, []).append(one.name)
    if Kind.DIVERGING in by_kind or Kind.FAILING in by_kind:
        wrong = by_kind.get(Kind.DIVERGING, []) + by_kind.get(Kind.FAILING, [])
        return f"no, and more of the same steps will not mend it: see {' and '.join(wrong)}"
    if Kind.STUCK in by_kind:
        return f"no: {_all(by_kind[Kind.STUCK], 'does not move', 'do not move')}"
    if set(by_kind) == {Kind.AT_REST}:
        return "yes: all gradients are gone, at a point where none of the networks moves"
    if set(by_kind) <= {Kind.SETTLING, Kind.AT_REST}:
        last = max(one.until or 0 for one in watch.verdicts.values())
        return f"not yet: at this pace by step {last}"
    gap = watch.newest("gap")
    if gap is not None:
        return _by_gap(*gap)
    if Kind.UNDECIDED in by_kind:
        silent = _all(by_kind[Kind.UNDECIDED], "does not say yet", "do not say yet")
        return f"undecided: {silent}, and no duality gap was measured: watch.measure()"
    return (
        "the losses do not say: of networks that chase each other they have no trend, at a good end and before it;"
        " stop by the samples or by the duality gap: watch.measure()"
    )


def _all(names: list[str], one: str, several: str) -> str:
    """Names and a verb: `one` is the verb after a single name, `several` after more."""
    return f"{' and '.join(names)} {one if len(names) == 1 else several}"


def _by_gap(step: int, found: Row) -> str:
    """Convergence judged by a duality gap, which is estimated from below by a few steps of each player."""
    error, value = found["error"] or 0.0, found["value"]
    size = f"the duality gap at step {step} is {value:.3g}" + (f" +- {error:.1g}" if error else "")
    if value > 2 * error:
        most = max(found["terms"], key=found["terms"].get)
        return f"not yet: {size}, and {most} could gain {found['terms'][most]:.3g} in a few steps"
    return f"perhaps: {size}, which its error does not tell from 0; nobody gains in a few steps, on one batch"


def dear(price: float, share: float) -> str:
    """Why a look left out a measurement of `price` seconds: it would exceed the `share` of the loop's time."""
    left = f"the watch has {100 * share:g} % of the time"
    return f"would take about {about(price)} s, and {left}; watch.measure(budget=None) does it now"


def beyond(price: float, limit: Budget) -> str:
    """Why `Watch.measure` left out a measurement of `price` seconds: the time allowed, `limit`, is nearly spent."""
    left = f"{about(limit.left)} s of the {limit.seconds:g} s allowed were left"
    return f"would take about {about(price)} s, and {left}; watch.measure(budget=None) does it now"


def about(seconds: float) -> str:
    """A number of seconds as text with one significant digit and no exponent: 0.03, 7, 100."""
    return f"{float(f'{seconds:.1g}'):.15g}" if seconds < 1e15 else f"{seconds:.1g}"


def measured(watch: Any) -> list[tuple[str, str]]:
    """(name, sentence) for each measurement that was ever made, the newest of each."""
    said = []
    row = next((row for row in reversed(watch.rows) if "losses" in row), None)
    if row is not None:
        said.append(("field", _field(row)))
    for name, tell in TOLD.items():
        found = watch.newest(name)
        if found is not None:
            said += [(title, f"{text} (step {found[0]})") for title, text in tell(found[1])]
    return said


def _field(row: Row) -> str:
    parts = ", ".join(f"{name} {norm:.3g}" for name, norm in row["gradient_norms"].items())
    text = f"norm {row['field_norm']:.3g} ({parts})"
    if "order" in row:
        text += f"; data are put above samples in {100 * row['order']:.0f} % of pairs"
    if row.get("lipschitz"):
        slopes = ", ".join(f"{name} {slope:.3g}" for name, slope in row["lipschitz"].items())
        text += f"; largest slope met: {slopes}"
    return f"{text} (step {row['step']})"


def _rotation(found: Row) -> list[tuple[str, str]]:
    if found["share"] is None:
        return [("rotation", "J is zero on the directions tried")]
    text = f"{100 * found['share']:.0f} % of J turns on one batch, by random directions"
    if "along_field" in found:
        text += f"; along the field {100 * found['along_field']:.0f} %"
    return [("rotation", text)]


def _spectrum(found: Row) -> list[tuple[str, str]]:
    said = [("eigenvalues of J", f"on one batch, {_ends(found['jacobian'])}")]
    if "map" in found:
        one = found["map"]
        if "undecided" in one:
            said.append((f"map of {one['rule']}", f"undecided: {one['undecided']}"))
        else:
            radius = one["spectral_radius"]
            word = "believed" if one["LM"]["believed"] else "undecided, an estimate"
            judged = "unstable" if radius > 1 else "stable"
            said.append((
                f"map of {one['rule']}",
                f"spectral radius {radius:.6g} ({word}; residual {one['LM']['residual']:.1e}): {judged} at this step"
                " size, as if this point were an equilibrium",
            ))  # fmt: skip
    step = found["largest_step"]
    text = f"undecided: {step['undecided']}" if "undecided" in step else f"{step['of']} {_number(step['value'])}"
    if step.get("why"):
        text += f": {step['why']}"
    elif "undecided" not in step:
        text += "" if step["all_eigenvalues"] else ", by the eigenvalues above alone, so that it may be smaller"
    said.append(("largest stable step", text))
    return said


def _ends(ends: Row) -> str:
    parts = []
    for name, end in ends.items():
        real, imaginary = end["value"]
        word = "" if end["believed"] else ", undecided"
        parts.append(f"{NAMES[name]} {real:.4g}{imaginary:+.4g}i (residual {end['residual']:.1e}{word})")
    return "; ".join(parts)


def _gap(found: Row) -> list[tuple[str, str]]:
    error = "" if found["error"] is None else f" +- {found['error']:.1g}"
    terms = ", ".join(f"{name} could gain {term:.3g}" for name, term in found["terms"].items())
    return [
        ("duality gap", f"{found['value']:.4g}{error} ({found['kind']}, on one batch, by a few steps each: {terms})")
    ]


def _path(found: Row) -> list[tuple[str, str]]:
    text = f"{found['motion']} on the way from the first step (switch {found['switch']:.2f}, bump {found['bump']:.2f})"
    return [("path angle", text)]


def _noise(found: Row) -> list[tuple[str, str]]:
    parts = [f"{name} {_number(value)}" for name, value in found["relative"].items()]
    return [("gradient noise", f"standard deviation over norm: {', '.join(parts)}, of what the losses draw")]


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


TOLD = {"rotation": _rotation, "spectrum": _spectrum, "gap": _gap, "path": _path, "noise": _noise}
