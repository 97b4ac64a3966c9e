"""A folder with one figure."""

from __future__ import annotations

import pytest
from line_figure import FIGURE


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "mine"
    place.mkdir()
    (place / "line.py").write_text(FIGURE)
    return place
