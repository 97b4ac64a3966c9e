"""Wrong command lines: exit status 2 and a message on stderr, never a traceback, and nothing on stdout."""

from __future__ import annotations

import pytest
from doors.command_lines import lines
from doors.test_api_calls import Late, in_time
from typer.testing import CliRunner

from gandyn.cli import app


def ending(words):
    """How a command line ended, "" if it should."""
    try:
        with in_time():
            result = CliRunner().invoke(app, words)
    except Late:
        return "hangs"
    raised = result.exception
    if raised is not None and not isinstance(raised, SystemExit):
        return f"ends in {type(raised).__name__}: {raised}"
    if result.exit_code != 2:
        return f"ends with status {result.exit_code}: {result.output[:60]!r}"
    return "" if result.stderr.strip() and "Traceback" not in result.stderr else f"says {result.stderr!r}"


@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_wrong_command_lines_end_with_a_message(every, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = list(lines())
    assert len(table) >= 200
    assert len({tuple(words) for words in table}) == len(table)
    wrong = {" ".join(words): how for words in table[::every] if (how := ending(words))}
    assert not wrong, "\n".join(f"{line} {how}" for line, how in wrong.items())
