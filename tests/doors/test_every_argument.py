"""Each argument of each public function, spoilt: an answer, or one line that says what was needed; nothing raw."""

from __future__ import annotations

import warnings

import pytest
from doors import every_argument
from doors.test_api_calls import Late, in_time

from gandyn.errors import GandynError


def ending(call):
    """How a call ended, "" if it may: with an answer, or with a line."""
    try:
        with in_time(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call()
    except GandynError as error:
        return "" if "\n" not in str(error) else f"says {str(error)!r}"
    except Late:
        return "hangs"
    except BaseException as error:
        return f"ends in {type(error).__name__}: {error}"
    return ""


@pytest.mark.parametrize(
    ("functions", "every"),
    [
        pytest.param(every_argument.registered, 83, id="registered"),
        pytest.param(every_argument.registered, 1, id="registered, all", marks=pytest.mark.slow),
        pytest.param(every_argument.functions, 499, id="functions"),
        pytest.param(every_argument.functions, 7, id="functions, more", marks=pytest.mark.slow),
        pytest.param(every_argument.pictures, 1499, id="pictures"),
        pytest.param(every_argument.pictures, 31, id="pictures, more", marks=pytest.mark.slow),
    ],
)
def test_nothing_ends_raw(functions, every, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = [case for name, function in functions().items() for case in every_argument.spoilt(name, function)]
    assert len(table) > 5000
    wrong = {label: how for label, call in table[::every] if (how := ending(call))}
    assert not wrong, "\n".join(f"{label} {how}" for label, how in wrong.items())
