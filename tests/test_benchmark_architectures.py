"""The ablations: a run that was cut off goes on from the seeds that are there, and every case can be run."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("ablations", FOLDER / "architectures.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "ablations", module)
    spec.loader.exec_module(module)
    return module


def test_finished_seeds_are_kept_and_those_of_other_steps_are_not(script, tmp_path, monkeypatch, capsys):
    out, ran = tmp_path / "result.json", []

    def case(name):
        def run(seed, steps):
            ran.append((name, seed, steps))
            if len(ran) == 4:
                raise KeyboardInterrupt
            return {"distance": 10.0 * seed + steps}

        return run

    two = script.Ablation(7, {"with": case("with"), "without": case("without")}, seeds=3)
    monkeypatch.setitem(script.ABLATIONS, "memory", two)
    with pytest.raises(KeyboardInterrupt):
        script.main(["memory", "--out", str(out)])
    assert len(json.loads(out.read_text())["rows"]) == 3
    script.main(["memory", "--out", str(out)])
    data = json.loads(out.read_text())
    assert [(row["case"], row["seed"]) for row in data["rows"]] == [
        (name, seed) for name in ("with", "without") for seed in range(3)
    ]
    assert [row["distance"] for row in data["rows"]] == 2 * [7.0, 17.0, 27.0]
    assert len(ran) == 7  # six, and the one that was cut off
    assert data["script_sha256"] == script.SCRIPT
    assert json.loads(capsys.readouterr().out.splitlines()[-1].partition(" ")[2])["distance"] == 27.0  # the newest row
    script.main(["memory", "--out", str(out), "--steps", "8", "--seeds", "1"])
    assert [row["distance"] for row in json.loads(out.read_text())["rows"]] == [8.0, 8.0]


def test_the_probe_reads_labels_off_features_that_tell_them(script):
    import torch

    import gandyn as gd

    source = torch.Generator().manual_seed(0)
    labels = torch.arange(400) % 10
    telling = torch.nn.functional.one_hot(labels, 10) + 0.05 * torch.randn(400, 10, generator=source)
    data = gd.gans.Points("told", telling, labels, classes=10).split(0.2, 0)
    assert script.probe(lambda points: points, data) > 0.98
    assert script.probe(lambda points: torch.zeros(len(points), 3), data) == pytest.approx(0.1, abs=0.03)


def test_the_autoencoders_cost_is_the_evidence_bound_by_numbers(script):
    """KL of N(m, s^2) from N(0, I) by quadrature, and half the squared distance, of an encoder that is constant."""
    import types

    import numpy as np
    import torch

    mean, std = torch.tensor([[0.3, -1.2]]), torch.tensor([[0.5, 2.0]])
    game = types.SimpleNamespace(
        encoder=lambda real: torch.cat([mean, std.log()], 1).expand(len(real), 4),
        generator=lambda latent: torch.zeros(len(latent), 3),
    )
    real = torch.tensor([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]])
    x = np.linspace(-30, 30, 200_001)
    divergence = 0.0
    for m, s in zip(mean[0].numpy(), std[0].numpy(), strict=True):
        density = np.exp(-((x - m) ** 2) / (2 * s**2)) / (s * np.sqrt(2 * np.pi))
        divergence += 3e-4 * (density * (x**2 / 2 - (x - m) ** 2 / (2 * s**2) - np.log(s))).sum()
    expected = divergence + (5.25 + 10) / 2 / 2
    assert float(script.variational(game, real)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["stages", "mixture", "labels", "autoencoder", "pyramid", "pictures", "memory", "fuzzy", "packing", "nash"]
)
def test_every_case_of_every_ablation_runs(script, name, tmp_path):
    if name not in ("stages", "mixture", "memory", "fuzzy", "nash"):
        pytest.importorskip("palmerpenguins" if name == "packing" else "mlxtend", reason="needs the extra gandyn[data]")
    assert name in script.ABLATIONS
    script.main([name, "--seeds", "1", "--steps", "2", "--out", str(tmp_path / "result.json")])
    data = json.loads((tmp_path / "result.json").read_text())
    assert [row["case"] for row in data["rows"]] == list(script.ABLATIONS[name].cases)
    assert {row.get("status", "OK") for row in data["rows"]} == {"OK"}
