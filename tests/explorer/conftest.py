"""The whole page takes seconds to make: it is made once."""

import pytest

import gandyn as gd


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The page that is made where nothing is asked for, and its address."""
    path = tmp_path_factory.mktemp("whole") / "page.html"
    return gd.explore(out=path), path.as_uri()
