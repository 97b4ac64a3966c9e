"""Six scripts in the manner of well-known ones: converted with at most six lines, and watched with two more."""

from __future__ import annotations

import difflib
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import gandyn as gd
from gandyn.watching.verdicts import Kind

SCRIPTS = Path(__file__).parent.parent / "public_scripts"
NAMES = {  # the option that says how long, how to say three steps, and what a watch is given
    "dcgan": ("--niter", 3, "netG, netD"),
    "wgan_gp": ("--iters", 3, "netG, netD"),
    "conditional": ("--n_batches", 3, "generator, discriminator"),
    "spectral_norm": ("--steps", 3, "generator, discriminator"),
    "two_discriminators": ("--epochs", 3, '{"generator": G, "D1": D1, "D2": D2}'),
    "tabular": ("--epochs", 1, "generator, discriminator"),
}
LINES = 6


def lines(name: str) -> list[str]:
    """A script's lines without indentation, blank ones left out."""
    text = (SCRIPTS / f"{name}.py").read_text()
    return [line.strip() for line in text.splitlines() if line.strip()]


def written(name: str) -> list[str]:
    """The lines of the converted script that the original does not have."""
    found = difflib.ndiff(lines(name), lines(f"{name}_converted"))
    return [line[2:] for line in found if line.startswith("+ ")]


def run(path: Path, monkeypatch: Any, option: str, steps: int, *more: str) -> dict[str, Any]:
    """A script's globals after so many steps."""
    monkeypatch.setattr(sys, "argv", [path.name, option, str(steps), *more])
    with torch.random.fork_rng():
        return runpy.run_path(str(path))


def watched(name: str, folder: Path, every: int) -> Path:
    """The converted script with a watch: two lines after the optimiser's step."""
    text = (SCRIPTS / f"{name}_converted.py").read_text().splitlines()
    at = next(k for k, line in enumerate(text) if ".step(losses" in line)
    indent = text[at][: len(text[at]) - len(text[at].lstrip())]
    losses, batch = ("losses", "next(data)") if name == "wgan_gp" else ("losses", "")
    optimizer = text[at].split("=")[1].split(".")[0].strip()
    making = f"gd.watch({NAMES[name][2]}, {losses}, rule={optimizer}, every={every})"
    text[at + 1 : at + 1] = [
        f"{indent}watch = vars().get('watch') or gan.__dict__.setdefault('watch', {making})"
        if name == "tabular"
        else f"{indent}watch = vars().get('watch') or {making}",
        f"{indent}watch.step({batch})",
    ]
    path = folder / f"{name}_watched.py"
    path.write_text("\n".join(text) + "\n")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_converted_with_few_lines(name: str, monkeypatch: Any, capsys: Any) -> None:
    assert 0 < len(written(name)) <= LINES, written(name)
    option, steps, _ = NAMES[name]
    for script in (name, f"{name}_converted"):
        found = run(SCRIPTS / f"{script}.py", monkeypatch, option, steps)
        networks = [value for value in found.values() if isinstance(value, torch.nn.Module)]
        assert len(networks) >= 2
        assert all(bool(p.isfinite().all()) for network in networks for p in network.parameters())
        assert capsys.readouterr().out
    optimizer = next((v for v in found.values() if isinstance(v, gd.optim.GameOptimizer)), None)
    assert optimizer is not None or name == "tabular"  # whose class keeps it to itself


@pytest.mark.parametrize("name", NAMES)
def test_a_converted_script_is_watched_with_two_lines_more(name: str, monkeypatch: Any, tmp_path: Path) -> None:
    """The watch changes nothing that is trained, and says something of every network."""
    option, steps, _ = NAMES[name]
    plain = run(SCRIPTS / f"{name}_converted.py", monkeypatch, option, steps)
    found = run(watched(name, tmp_path, 1), monkeypatch, option, steps)
    watch = found["gan"].watch if name == "tabular" else found["watch"]
    assert watch.rows
    assert not any("error" in row for row in watch.rows), watch.rows
    assert set(watch.rows[-1]["losses"]) == set(watch.verdicts)
    for key, value in plain.items():
        if isinstance(value, torch.nn.Module) and name != "wgan_gp":  # whose watch takes a batch of the loop's data
            for p, q in zip(value.parameters(), found[key].parameters(), strict=True):
                assert torch.equal(p, q), key
    assert {one.kind for one in watch.verdicts.values()} <= {*Kind}
