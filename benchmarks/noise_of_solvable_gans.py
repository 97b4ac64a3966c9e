"""The part `exact` of noise_of_gans.py, from weights of the generator on the side of the equilibrium that is predicted.

    python benchmarks/noise_of_solvable_gans.py [--out FILE]

A linear generator a z makes N(0, s^2) at a = s and at a = -s; from a start below 0 runs end around the mirror image.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from pathlib import Path

import torch
from noise_of_gans import exact_part, solvable
from ring import RESULTS, environment

from gandyn.gans.training.state import versions

SCRIPT, SEED = hashlib.sha256(Path(__file__).read_bytes()).hexdigest(), 0


def main() -> None:
    """Write the result file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS / "noise_of_solvable_gans.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    assert all(float(game.w0[0]) >= 0 for game, *_ in solvable().values()), "another SEED"
    torch.manual_seed(SEED)
    began, part = time.process_time(), exact_part()
    part["cpu_seconds"] = round(time.process_time() - began, 1)
    script = {"what": "noise of minibatches on solvable GANs of networks", "script_sha256": SCRIPT}
    options.out.write_text(
        json.dumps({**script, **environment(), "versions": versions(), "parts": [part]}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
