"""What each experiment on networks should show, declared before it is run, and what came of it seed by seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import gandyn as gd
from gandyn.figures import Checked, Expected

Data = Mapping[str, Any]
RULES, ADAM_AND_SGD = ("SGD", "SGDM", "Adam"), ("SGD", "Adam")
GAIN = 0.02
"""A share of samples that counts as a gain: two points."""


def of_case(data: Data, key: str, **case: str) -> np.ndarray:
    """A metric at the end of a sweep's cell, one number a seed; of a run that diverged, whose samples are lost, 0."""
    cells = sorted((cell for cell in data["cells"] if cell["case"] == case), key=lambda cell: cell["seed"])
    return np.array([0.0 if c["outcome"] == "diverged" else c["metrics"][key] for c in cells], dtype=float)


def both(data: Data, key: str, one: Mapping[str, str], other: Mapping[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """A metric of two cases, seed by seed.

    Raises:
        LookupError: unless both were run with the same seeds.
    """
    seeds = [sorted(cell["seed"] for cell in data["cells"] if cell["case"] == case) for case in (one, other)]
    if seeds[0] != seeds[1]:
        raise LookupError(f"seeds {seeds[0]} of {one}, and {seeds[1]} of {other}")
    return of_case(data, key, **one), of_case(data, key, **other)


def _gained(name: str, source: str, of: Callable[[Data], np.ndarray]) -> Expected:
    """An effect that is seen where a share rises by two points or more, and contradicted where it falls by as much."""
    return Expected(name, (1 + GAIN) / 2, (1 - GAIN) / 2 + 1e-9, source, of, effect=True, contrary=-GAIN + 1e-9)


def _nearer(rule: str, kind: str, loss: str) -> Expected:
    """An effect that is seen where centralisation takes a twentieth or more off the Fréchet distance."""

    def saved(data: Data) -> np.ndarray:
        centred, plain = both(data, "frechet_digits64", *_cases(rule, kind, loss))
        return 1 - centred / plain

    name = f"{loss}, {rule}: share of the Fréchet distance that {kind} saves"
    return Expected(name, 0.525, 0.475 + 1e-9, "the sources hope for it", saved, effect=True, contrary=-0.05)


def _cases(rule: str, kind: str, loss: str) -> tuple[dict[str, str], dict[str, str]]:
    return {"rule": f"{rule}-{kind}", "loss": loss}, {"rule": rule, "loss": loss}


def _centred(rule: str, loss: str, key: str) -> Callable[[Data], np.ndarray]:
    return lambda data: np.subtract(*both(data, key, *_cases(rule, "GC", loss)))


def _keeps_modes(loss: str) -> Callable[[Data], np.ndarray]:
    """1 in each seed in which Adam ends with more modes where it is centred, or with all eight; else 0."""

    def kept(data: Data) -> np.ndarray:
        centred, plain = both(data, "near_modes", *_cases("Adam", "GC", loss))
        return ((centred > plain) | (centred == 8)).astype(float)

    return kept


def _momentum(lr: str, low: str) -> Callable[[Data], np.ndarray]:
    cases = [{"lr": lr, "beta1": moment} for moment in (low, "0.9")]
    return lambda data: np.subtract(*both(data, "near_quality", *cases))


# --- two time scales --------------------------------------------------------------------------------------------------


def covers(data: Data, **case: str) -> np.ndarray:
    """1 in each seed whose run ends with all eight modes and nine tenths of the samples near one; else 0."""
    all_modes, quality = of_case(data, "near_modes", **case) == 8, of_case(data, "near_quality", **case)
    return (all_modes & (quality >= 0.9)).astype(float)


def _decides(lr: str) -> Callable[[Data], np.ndarray]:
    """1 in each seed that covers the ring where tau is 3 and not where it is 0.1; -1 the other way round; else 0."""

    def decided(data: Data) -> np.ndarray:
        both(data, "near_modes", *({"tau": tau, "lr": lr} for tau in ("3", "0.1")))
        return np.subtract(*(covers(data, tau=tau, lr=lr) for tau in ("3", "0.1")))

    return decided


def _faster(fast: str, slow: str, lr: str) -> Callable[[Data], np.ndarray]:
    cases = [{"tau": tau, "lr": lr} for tau in (fast, slow)]
    return lambda data: np.subtract(*both(data, "near_quality", *cases))


# --- penalties --------------------------------------------------------------------------------------------------------


def _modes_kept(penalty: str) -> Callable[[Data], np.ndarray]:
    return lambda data: np.subtract(*both(data, "near_modes", {"penalty": penalty}, {"penalty": "none"}))


# --- digits -----------------------------------------------------------------------------------------------------------


def distance(data: Data, row: int = -1, key: str = "metrics") -> np.ndarray:
    """The Fréchet distance of each seed's run on digits, in a measured row; "average_metrics": of mean weights."""
    runs = sorted(data["runs"], key=lambda run: run["seed"])
    return np.array([run["rows"][row][key]["frechet_digits64"] for run in runs])


def _classes(data: Data) -> list[float]:
    return [run["rows"][-1]["metrics"]["classes"] for run in sorted(data["runs"], key=lambda run: run["seed"])]


# --- update ratios ----------------------------------------------------------------------------------------------------


def at_the_end(data: Data, config: str, key: str) -> np.ndarray:
    """A metric at the end of each seed's run of regime-CONFIG."""
    return np.array([run["rows"][-1]["metrics"][key] for run in _runs(data, config)], dtype=float)


def _runs(data: Data, config: str) -> list[Any]:
    return sorted((r for r in data["runs"] if r["config"] == f"regime-{config}"), key=lambda run: run["seed"])


def _told_apart(data: Data) -> np.ndarray:
    """1 in each seed whose 1-1 run ends with a smaller gap than each of the others, by more than both errors."""
    gap, error = ({c: at_the_end(data, c, key) for c in OTHERS} for key in ("duality_gap", "gap_error"))
    upper = at_the_end(data, "1-1", "duality_gap") + at_the_end(data, "1-1", "gap_error")
    return np.all([gap[c] - error[c] > upper for c in OTHERS], axis=0).astype(float)


OTHERS = ("15-1", "1-15", "collapse")


def _rank(config: str) -> Callable[[Data], list[float]]:
    from gandyn.plots.regimes import PANELS, rank_correlations

    def found(data: Data) -> list[float]:
        series = [{key: [row["metrics"][key] for row in r["rows"]] for key, _ in PANELS} for r in _runs(data, config)]
        return [rank_correlations(one)["w1"] for one in series]

    return found


def _diverges(data: Data) -> np.ndarray:
    """1 in each seed whose 1-15 run stops for divergence, or ends farther from the data than it began; else 0."""
    runs = _runs(data, "1-15")
    ends = [(run["rows"][0]["metrics"]["w1"], run["rows"][-1]["metrics"]["w1"], run["status"]) for run in runs]
    return np.array([float(status == "DIVERGED" or last >= first) for first, last, status in ends])


SAYS, USED_FOR, ONE_SEED = "Sidheekh et al. 2021", "what it is used for", "the lead of one seed"
PENALTIES = ("0-GP 0.01", "0-GP 0.1", "R1 0.01", "R1 0.1", "DRAGAN 0.1", "DRAGAN 1", "WGAN-GP 0.1", "WGAN-GP 1")
EFFECTS: dict[str, tuple[Expected, ...]] = {
    "gradient-centralization": (
        *(
            _gained(f"{loss}, {rule}: share of samples near a mode gained by GC", "the sources hope for it",
                    _centred(rule, loss, "near_quality"))
            for loss in ("WGAN", "LS-GAN", "GLS-GAN", "0-GP") for rule in RULES
        ),
        *(
            Expected(f"{loss}, Adam: 1 where GC ends with more modes, or with all eight", 1, 0, ONE_SEED,
                     _keeps_modes(loss), effect=True, contrary=0)
            for loss in ("WGAN", "LS-GAN")
        ),
    ),
    "gradient-centralization-digits": tuple(
        _nearer(rule, kind, loss) for loss in ("WGAN", "LS-GAN", "0-GP") for rule in ADAM_AND_SGD
        for kind in ("GC", "GCC")
    ),
    "heat-map": tuple(
        _gained(f"step {lr}: share near a mode that a first moment of {low} gains over 0.9", ONE_SEED,
                _momentum(lr, low))
        for lr in ("0.0003", "0.001", "0.003", "0.01") for low in ("0", "0.5")
    ),
    "ttur": tuple(
        effect for lr in ("0.0003", "0.001", "0.003") for effect in (
            Expected(f"lr {lr}: 1 where tau 3 covers the ring and tau 0.1 does not", 1, 0, USED_FOR, _decides(lr),
                     effect=True, contrary=-1),
            *(
                _gained(f"lr {lr}: share near a mode that tau {fast} gains over {slow}", USED_FOR,
                        _faster(fast, slow, lr))
                for fast, slow in (("1", "0.1"), ("3", "1"), ("10", "3"))
            ),
        )
    ),
    "penalties": (
        *(
            Expected(f"{penalty}: modes that it gains over none", 4.5, 3.5, USED_FOR,
                     _modes_kept(penalty), effect=True, contrary=-1)
            for penalty in PENALTIES
        ),
        *(
            Expected(f"{penalty}: 1 where it covers the ring", 1, 0, USED_FOR,
                     lambda data, penalty=penalty: covers(data, penalty=penalty), effect=True)
            for penalty in PENALTIES
        ),
    ),
    "digits": (
        Expected("classes at the end", 10, 0, ONE_SEED, _classes, effect=True, contrary=8),
        Expected("Fréchet distance at the end", 10, 10, ONE_SEED, distance, effect=True, contrary=30),
        Expected("share of the distance at half of the steps that the other half saves", 0.625, 0.375, ONE_SEED,
                 lambda d: 1 - distance(d) / distance(d, -2), effect=True, contrary=0),
        Expected("share of the distance that averaged weights save", 0.525, 0.475, USED_FOR,
                 lambda d: 1 - distance(d, -1, "average_metrics") / distance(d), effect=True, contrary=-0.05),
    ),
    "regimes": (
        Expected("1 to 1: modes", 8, 0, SAYS, lambda d: at_the_end(d, "1-1", "near_modes"), effect=True, contrary=4),
        Expected("15 to 1: modes", 2.5, 1.5, SAYS, lambda d: at_the_end(d, "15-1", "near_modes"),
                 effect=True, contrary=7),
        Expected("1 to 15: 1 where it diverges", 1, 0, SAYS, _diverges, effect=True, contrary=0),
        Expected("1 where the gap tells 1 to 1 from the others", 1, 0, SAYS, _told_apart, effect=True, contrary=0),
        *(
            Expected(f"{config}: rank correlation of gap and W1", 0.75, 0.25, SAYS, _rank(config), effect=True,
                     contrary=0)
            for config in ("1-1", *OTHERS)
        ),
    ),
}  # fmt: skip
SETTINGS = {
    "gradient-centralization": "2 x 128, 2000 steps, Adam 0.0005",
    "gradient-centralization-digits": "DCGAN of width 8, 120 steps of batch 64, SGD 0.05, Adam 0.002",
    "digits": "DCGAN of width 32, R1 of weight 1, Adam 0.0005, 500 steps of batch 64",
    "heat-map": "2 x 64, 2000 steps of batch 128",
    "ttur": "2 x 64, 2000 steps of batch 128, Adam with betas (0, 0.99), decayed",
    "penalties": "latent of 8, 2 x 128, 1500 steps of batch 64, Adam 0.001",
    "regimes": "ring, Adam 0.001, 3000 steps of the one to one run",
}


def result_of(name: str) -> str:
    """The result file of an experiment."""
    return {"regimes": "regimes", "digits": "digits_seeds"}.get(name) or f"sweep_{name.replace('-', '_')}"


def checked(name: str, data: Data) -> tuple[Checked, ...]:
    """Every effect of an experiment against its result; of cells that were not run there is nothing to check."""
    return tuple(one for one in gd.figures.effects(EFFECTS[name], data) if one.each)


def verdict(name: str, data: Data) -> str:
    """What the page has to say of the experiment: one of `gd.figures.Outcome`, at which budget, from how many seeds."""
    rows = data.get("cells") or data["runs"]
    gradients = max(row["gradients"] if "gradients" in row else row["rows"][-1]["gradients"] for row in rows)
    about = {"gradients": f"{gradients:g}", "settings": SETTINGS[name], "seeds": sorted({row["seed"] for row in rows})}
    return gd.figures.verdict(checked(name, data), about)
