"""The answer of `gandyn analyze --json` is what its schema says: keys, types, and no number that JSON has not."""

from __future__ import annotations

import json
import pathlib

import pytest
from typer.testing import CliRunner

from gandyn.cli import app
from gandyn.cli.schema import FIELDS, schema

TYPES = {"object": dict, "array": list, "string": str, "number": (int, float), "boolean": bool, "null": type(None)}


def gandyn(*arguments):
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def strictly(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize(
    "arguments",
    [
        ("bilinear", "--rule", "GDA(0.1)"),
        pytest.param(("quadratic", "--rule", "EG(0.19)", "--noise", "0.1"), marks=pytest.mark.slow),
        ("bilinear", "--rule", "Adam(0.1)"),
        ("bilinear", "--rule", "GDA", "--set", "lr=eta"),
        ("dirac_gan", "--at", "1,1"),
        pytest.param(("matching_pennies", "--rule", "GDA(0.1)"), marks=pytest.mark.slow),
        pytest.param(("quadratic", "--rule", "GDA(1/5)", "--global"), marks=pytest.mark.slow),
        pytest.param(("stochastic_bilinear", "--rule", "GDA(0.05)"), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_the_answer_keeps_to_the_schema(arguments):
    answer, wanted = strictly(gandyn("analyze", *arguments, "--json")), schema()
    assert set(answer) <= set(wanted["properties"])
    assert set(wanted["required"]) <= set(answer)
    for key, value in answer.items():
        types = wanted["properties"][key]["type"]
        allowed = tuple(TYPES[t] for t in ([types] if isinstance(types, str) else types))
        assert isinstance(value, allowed), (key, value)
        assert not isinstance(value, bool) or "boolean" in types, (key, value)


def test_the_schema_is_printed_and_documented():
    assert strictly(gandyn("analyze", "--json-schema")) == schema()
    assert all(about for _, _, about in FIELDS)
    page = pathlib.Path(__file__).parents[2] / "docs" / "analysis" / "page.md"
    assert "{catalogue} analyze-json" in page.read_text(encoding="utf-8")
