"""Wrong configs: each is refused on one line, and quickly, before anything is trained."""

from __future__ import annotations

import pytest
import torch
from doors import configs
from doors.test_api_calls import ending

from gandyn.gans.training.config import Config
from gandyn.gans.training.measures import measure
from gandyn.gans.training.options import Stepping
from gandyn.gans.training.state import Training


def built(data):
    """As `start` does it, up to the first step."""
    config = Config.from_dict(data)
    game, rule = config.build()
    measure(game, config.metrics.names, config.metrics.samples)
    Training(game, rule, Stepping(average=config.train.average, precision=config.train.precision))
    return config


@pytest.mark.parametrize("every", [11, pytest.param(1, marks=pytest.mark.slow)])
def test_wrong_configs_are_refused_in_one_line(every, tmp_path):
    table = list(configs.wrong())
    files = list(configs.damaged())
    assert len(table) + len(files) > 1200
    built(configs.BASE)
    with torch.random.fork_rng():
        wrong = {label: how for label, data in table[::every] if (how := ending(lambda data=data: built(data)))}
    path = tmp_path / "config.toml"
    for label, content in files[::every]:
        path.write_bytes(content)
        if how := ending(lambda: Config.read(path).build()):
            wrong[label] = how
    assert not wrong, "\n".join(f"{label} {how}" for label, how in wrong.items())
