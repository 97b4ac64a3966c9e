"""Effects that experiments on networks are held to: planted results of known verdict, and the page's own verdicts."""

from __future__ import annotations

import importlib.util
import json
import pathlib
import re

import pytest

from gandyn.figures import Outcome

ROOT = pathlib.Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "gans" / "experiments.md").read_text(encoding="utf-8")


def _loaded():
    spec = importlib.util.spec_from_file_location("network_effects", ROOT / "docs" / "_ext" / "network_effects.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


effects = _loaded()


def cells(values, key="near_quality", **case):
    """A cell for each seed; None for a run that diverged."""
    return [
        {"case": case, "seed": seed, "outcome": "diverged" if value is None else "partial",
         "metrics": {key: 0.9 if value is None else value}}
        for seed, value in enumerate(values)
    ]  # fmt: skip


def one(name, data, words):
    (found,) = [c for c in effects.checked(name, data) if c.name.startswith(words)]
    return found


@pytest.mark.parametrize(
    ("centred", "outcome", "median"),
    [
        ([0.32, 0.33, 0.34, 0.32, 0.30], Outcome.REPRODUCED, 0.02),
        ([0.32, 0.33, 0.34, 0.31, 0.30], Outcome.NOT_SETTLED, 0.02),
        ([0.31, 0.31, 0.30, 0.30, 0.29], Outcome.NOT_REPRODUCED, 0.0),
        ([0.28, 0.27, 0.26, 0.25, 0.35], Outcome.CONTRADICTED, -0.03),
        ([0.95, 0.95, 0.95, 0.95, None], Outcome.REPRODUCED, 0.65),
    ],
)
def test_a_gain_is_seen_in_four_of_five_seeds(centred, outcome, median):
    data = {"cells": cells([0.30] * 5, rule="SGD", loss="WGAN") + cells(centred, rule="SGD-GC", loss="WGAN")[::-1]}
    found = one("gradient-centralization", data, "WGAN, SGD:")
    assert found.outcome is outcome
    assert found.found == pytest.approx(median)


def test_a_run_that_diverged_has_no_samples_near_a_mode():
    data = {"cells": cells([None, 0.5], rule="SGD", loss="WGAN")}
    assert effects.of_case(data, "near_quality", rule="SGD", loss="WGAN").tolist() == [0.0, 0.5]


@pytest.mark.parametrize("loss", ["WGAN", "LS-GAN"])
def test_modes_kept_are_more_modes_or_all(loss):
    plain, centred = [2, 8, 7, 8, 5], [3, 8, 7, 7, 4]
    data = {"cells": cells(plain, "near_modes", rule="Adam", loss=loss)
            + cells(centred, "near_modes", rule="Adam-GC", loss=loss)}  # fmt: skip
    assert one("gradient-centralization", data, f"{loss}, Adam: 1").each == (1, 1, 0, 0, 0)


def test_cases_of_other_seeds_are_not_compared():
    """One seed beside five would be compared with each of them in silence; what was not run has no outcome."""
    data = {"cells": cells([0.3], rule="SGD", loss="WGAN") + cells([0.9] * 5, rule="SGD-GC", loss="WGAN")}
    with pytest.raises(LookupError, match="seeds"):
        effects.both(data, "near_quality", {"rule": "SGD", "loss": "WGAN"}, {"rule": "SGD-GC", "loss": "WGAN"})
    assert effects.checked("gradient-centralization", data) == ()


def test_a_distance_saved_is_a_share_of_the_plain_one():
    key = "frechet_digits64"
    data = {"cells": cells([80.0, 40, 50, 60, 20], key, rule="Adam", loss="WGAN")
            + cells([60.0, 38, 52, 30, 20], key, rule="Adam-GCC", loss="WGAN")}  # fmt: skip
    found = one("gradient-centralization-digits", data, "WGAN, Adam: share of the Fréchet distance that GCC")
    assert found.each == pytest.approx((0.25, 0.05, -0.04, 0.5, 0.0))
    assert found.outcome is Outcome.NOT_SETTLED


def test_the_momentum_effect_compares_cells_of_one_step_size():
    data = {"cells": cells([0.9] * 5, lr="0.01", beta1="0") + cells([0.8] * 5, lr="0.01", beta1="0.9")
            + cells([0.1] * 5, lr="0.003", beta1="0.9")}  # fmt: skip
    assert one("heat-map", data, "step 0.01: share near a mode that a first moment of 0 ").each == pytest.approx(
        [0.1] * 5
    )


@pytest.mark.parametrize(
    ("fast", "slow", "each", "outcome"),
    [
        ([8, 8, 8, 8, 7], [8, 7, 7, 7, 7], (0, 1, 1, 1, 0), Outcome.NOT_SETTLED),
        ([8, 8, 8, 8, 8], [8, 7, 7, 7, 7], (0, 1, 1, 1, 1), Outcome.REPRODUCED),
        ([8, 8, 8, 8, 8], [8, 8, 8, 8, 7], (0, 0, 0, 0, 1), Outcome.NOT_REPRODUCED),
        ([7, 7, 7, 7, 8], [8, 8, 8, 8, 8], (-1, -1, -1, -1, 0), Outcome.CONTRADICTED),
    ],
)
def test_the_ratio_decides_where_the_fast_discriminator_covers_and_the_slow_one_does_not(fast, slow, each, outcome):
    data = {"cells": covering(fast, tau="3", lr="0.001") + covering(slow, tau="0.1", lr="0.001")
            + covering([8] * 5, tau="0.1", lr="0.003")}  # fmt: skip
    found = one("ttur", data, "lr 0.001: 1 where tau 3")
    assert found.each == each
    assert found.outcome is outcome


def covering(modes, quality=0.9, **case):
    """Cells with so many modes, and a share of the samples near one."""
    return [
        {"case": case, "seed": seed, "outcome": "covers", "metrics": {"near_modes": count, "near_quality": quality}}
        for seed, count in enumerate(modes)
    ]


def test_a_run_covers_with_all_modes_and_nine_tenths_of_the_samples():
    data = {"cells": covering([8, 7], penalty="none") + covering([8, 8], 0.899, penalty="R1 0.1")}
    assert effects.covers(data, penalty="none").tolist() == [1, 0]
    assert effects.covers(data, penalty="R1 0.1").tolist() == [0, 0]


def test_the_gain_of_a_faster_discriminator_is_over_the_ratio_before():
    shares = {"0.1": 0.2, "1": 0.5, "3": 0.9, "10": 0.8}
    data = {"cells": [c for tau, share in shares.items() for c in covering([8] * 5, share, tau=tau, lr="0.001")]}
    found = [check.found for check in effects.checked("ttur", data) if "gains" in check.name]
    assert found == pytest.approx([0.3, 0.4, -0.1])


def test_modes_that_a_penalty_gains_are_counted_seed_by_seed():
    data = {"cells": covering([4, 4, 5, 2, 8], penalty="none") + covering([8, 5, 6, 2, 7], penalty="R1 0.1")}
    found = one("penalties", data, "R1 0.1: modes")
    assert found.each == (4, 1, 1, 0, -1)
    assert found.outcome is Outcome.NOT_SETTLED


def digits(seed, *distances, classes=10):
    """A run on digits: pairs of Fréchet distances, of the last weights and of the averaged ones."""
    rows = [{"metrics": {"frechet_digits64": last, "classes": classes}, "average_metrics": {"frechet_digits64": mean}}
            for last, mean in distances]  # fmt: skip
    return {"seed": seed, "gradients": 500, "rows": rows}


def test_digits_are_held_to_their_last_rows():
    runs = [digits(k, (90.0, 90.0), (20.0, 25.0), (15.0 - k, 15.0), classes=10 - k) for k in (1, 0)]
    found = [check.each for check in effects.checked("digits", {"runs": runs})]
    assert found == [
        (10, 9), (15, 14), pytest.approx((0.25, 0.3)), pytest.approx((0.0, 1 - 15 / 14)),
    ]  # fmt: skip


def run(config, seed, gaps, w1=(4.0, 3.0, 1.0), modes=8, error=0.1, status="OK"):
    rows = [
        {"gradients": 100 * k,
         "metrics": {"duality_gap": gap, "gap_error": error, "w1": distance, "near_modes": modes, "near_quality": 0.5}}
        for k, (gap, distance) in enumerate(zip(gaps, w1, strict=True))
    ]  # fmt: skip
    return {"config": f"regime-{config}", "seed": seed, "status": status, "rows": rows}


def test_the_gap_tells_a_run_apart_where_it_is_smaller_by_more_than_both_errors():
    ends = [(0.0, 0.3), (0.0, 0.21), (0.0, 0.19), (0.5, 0.4), (0.1, 0.5)]
    runs = [run("1-1", seed, (1, 1, own)) for seed, (own, _) in enumerate(ends)]
    for config in effects.OTHERS:
        runs += [run(config, seed, (1, 1, other)) for seed, (_, other) in enumerate(ends)]
    found = one("regimes", {"runs": runs[::-1]}, "1 where the gap tells")
    assert found.each == (1, 1, 0, 0, 1)
    assert found.outcome is Outcome.NOT_SETTLED


def test_a_run_diverges_that_stops_so_or_ends_where_it_began_or_farther():
    runs = [run("1-15", 0, (1, 1, 1)), run("1-15", 1, (1, 1, 1), status="DIVERGED")]
    runs += [run("1-15", 2, (1, 1, 1), w1=(4.0, 3.0, 4.0)), run("1-15", 3, (1, 1, 1), w1=(4.0, 9.0, 3.9))]
    assert one("regimes", {"runs": runs}, "1 to 15").each == (0, 1, 1, 0)


def test_rank_correlations_are_those_of_each_run():
    runs = [run("1-1", 0, (3, 2, 1)), run("1-1", 1, (1, 2, 3)), run("1-1", 2, (2, 3, 1))]
    assert one("regimes", {"runs": runs}, "1-1: rank").each == pytest.approx((1, -1, 0.5))


@pytest.mark.parametrize("name", re.findall(r"```\{catalogue\} network-effects (\S+)", PAGE))
def test_the_verdict_of_the_page_is_that_of_the_result_file(name):
    section = next(part for part in re.split(r"(?m)^```\{catalogue\} network-effects ", PAGE) if part.startswith(name))
    said = re.search(r"^\*\*Verdict:\*\* (.*?)\n\n", section, re.MULTILINE | re.DOTALL)[1].replace("\n", " ")
    path = ROOT / "benchmarks" / "results" / f"{effects.result_of(name)}.json"
    assert said.startswith(effects.verdict(name, json.loads(path.read_text(encoding="utf-8"))))
