"""A config file of a run that is over in a second."""

from __future__ import annotations

import pytest
from config_cases import SMALL


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path
