"""`gandyn cite` and `gandyn doctor`: the right papers, each with an identifier, and a true account of the machine."""

from __future__ import annotations

import json
import re

import pytest
from typer.testing import CliRunner

import gandyn as gd
from gandyn.cli import app
from gandyn.cli.cite import behind
from gandyn.cli.papers import FILE, bibliography, mentioned
from gandyn.errors import GandynError


def gandyn(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_every_paper_has_an_identifier_and_its_own_key():
    text = FILE.read_text(encoding="utf-8")
    assert len(bibliography()) == text.count("\n@")
    identifiers = [paper.identifier for paper in bibliography().values()]
    assert len(set(identifiers)) == len(identifiers)
    for paper in bibliography().values():
        assert re.fullmatch(r"\d{4}\.\d{4,5}|10\.\d{4}/\S+|https://proceedings\.mlr\.press/v\d+/\S+", paper.identifier)
        assert paper.key.split("_")[0] in paper.authors[0].replace("-", "_").replace("askari ", "").split("_")[0]
        assert f"_{paper.year}" in paper.key
        assert paper.bibtex.count("{") == paper.bibtex.count("}")
        if "/" not in paper.identifier:  # an arXiv identifier begins with year and month; a talk may precede its text
            assert 2000 + int(paper.identifier[:2]) <= int(paper.year) + 1


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Consensus", ["mescheder_2017"]),
        ("extragradient", ["gidel_2019_vi"]),
        ("HeavyBall", ["polyak_1964", "gidel_2019_momentum", "lorraine_2022"]),
        ("follow-the-ridge", ["wang_2019"]),
        ("hinge", ["lim_2017", "miyato_2018"]),
        ("maximum_likelihood", ["goodfellow_2014_criteria"]),
        ("forsaken", ["hsieh_2021"]),
        ("schaefer_2019_cgd", ["schaefer_2019"]),
        ("chavdarova_2021_ode", ["chavdarova_2021_ode"]),
        ("qin_2020", ["qin_2020"]),
    ],
)
def test_the_papers_behind_a_name(name, keys):
    assert [paper.key for paper in behind(name)] == keys


def test_authors_are_told_apart():
    def keys(text):
        return [paper.key for paper in mentioned(text)]

    assert keys("Goodfellow et al. 2014") == ["goodfellow_2014"]
    assert keys("(Goodfellow 2014, eq. 2)") == ["goodfellow_2014_criteria"]
    assert keys("Chavdarova, Jordan & Zampetakis 2021") == ["chavdarova_2021_ode"]
    assert keys("Arjovsky & Bottou 2017") == ["arjovsky_2017_principled"]
    assert keys("Arjovsky, Chintala & Bottou 2017") == ["arjovsky_2017"]
    assert keys("Schäfer & Anandkumar 2019; Schaefer & Anandkumar 2019") == ["schaefer_2019"]
    assert keys("In Wang et al. 2019; Li, Tai & E 2017") == ["wang_2019", "li_2017"]
    assert keys("Nobody et al. 2019, in 2018") == []


def test_most_claims_and_figures_have_their_papers():
    sources = [entry.build().source for entry in gd.claims.registry if re.search(r"\d{4}", entry.build().source)]
    assert sum(bool(mentioned(source)) for source in sources) > 0.9 * len(sources)


def test_cite_prints_bibtex_and_refuses_in_one_line():
    result = gandyn("cite", "GDA", "mescheder_2017")
    assert result.exit_code == 0
    assert result.stdout.count("@misc{mescheder_2017,") == 1
    listed = json.loads(gandyn("cite", "--list", "--json").stdout)
    assert len(listed) == len(bibliography())
    for wrong in (["cite"], ["cite", "extragradiant"], ["cite", "RMSProp"], ["cite", "GDA", "--list"]):
        refused = gandyn(*wrong)
        assert refused.exit_code == 2
        assert len(refused.stderr.splitlines()) == 1
    with pytest.raises(GandynError, match="did you mean 'Extragradient'"):
        behind("Extragradiant")


def test_doctor_says_what_there_is(monkeypatch, tmp_path):
    monkeypatch.setenv("GANDYN_CACHE", str(tmp_path))
    rows = {row["what"]: row for row in json.loads(gandyn("doctor", "--json").stdout)}
    assert rows["gandyn"]["found"] == gd.__version__
    assert str(tmp_path) in rows["cache"]["found"]
    assert {"compiler", "threads", "device", "node", "packages"} <= set(rows)
    assert "for the explorer's tests alone" in rows["node"]["found"]
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    for built, advice in ((None, "install torch's CUDA build"), ("13.0", "check the driver")):
        monkeypatch.setattr("torch.version.cuda", built)
        (device,) = (row for row in json.loads(gandyn("doctor", "--json").stdout) if row["what"] == "device")
        assert advice in device["advice"]
    monkeypatch.setattr("gandyn.dynamics.compile.compiler", lambda: None)
    without = gandyn("doctor")
    assert without.exit_code == 0
    assert "install a C compiler" in without.stdout
