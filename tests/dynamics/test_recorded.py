"""Compiled maps are recognised on disk before anything is traced, and not once their sources have changed."""

import dataclasses
import itertools

import numpy as np
import pytest

import gandyn as gd
from gandyn.dynamics import cached, compile, recorded, structure, trace

pytestmark = pytest.mark.skipif(compile.compiler() is None, reason="no C compiler")
START = [0.3, -0.2]
RULES = [gd.rules.Extragradient(0.1), gd.rules.Lookahead(gd.rules.HeavyBall((0.1, 0.2), 0.5), 3, 0.5)]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A cache on disk with the rules on one game, and their runs."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANDYN_CACHE", str(folder))
        patch.setattr(cached, "_SHELVES", {})
        compile.load.cache_clear()
        yield folder, [gd.iterate(gd.games.dirac_gan(), rule, START, 10, kernel="c") for rule in RULES]


@pytest.fixture(autouse=True)
def nothing_in_memory(compiled, monkeypatch):
    def untraceable(*arguments, **options):
        raise AssertionError("traced")

    monkeypatch.setattr(cached, "_SHELVES", {})
    monkeypatch.setattr(trace, "traced", untraceable)


@pytest.mark.parametrize("which", range(len(RULES)))
def test_a_map_on_disk_serves_one_start_and_ten_steps_without_a_trace(which, compiled):
    rule, before = RULES[which], compiled[1][which]
    again = gd.iterate(gd.games.dirac_gan(), rule, START, 10)
    assert again.kernel == "c"
    assert np.array_equal(again.w, before.w)
    assert (again.counts.fields, again.counts.jvps) == (before.counts.fields, before.counts.jvps)
    assert gd.iterate(gd.games.dirac_gan(), rule, START, 9).kernel == "eager"


def test_another_value_is_the_same_map_with_other_data():
    rule = gd.rules.Extragradient(0.35)
    found = gd.iterate(gd.games.dirac_gan(), rule, START, 10)
    assert found.kernel == "c"
    np.testing.assert_allclose(found.w, gd.iterate(found.game, rule, START, 10, kernel="eager").w, rtol=1e-12)


def test_another_game_another_rule_and_edited_sources_meet_no_map_of_this_one(monkeypatch):
    runs = [
        (gd.games.dirac_gan("wasserstein"), RULES[0]),
        (gd.games.dirac_gan(), gd.rules.GDA(0.1)),
        (gd.games.dirac_gan(), gd.rules.Extragradient((0.1, 0.2))),
    ]
    assert [gd.iterate(game, rule, START, 10).kernel for game, rule in runs] == ["eager"] * 3
    monkeypatch.setattr(recorded, "_sources", lambda: "edited")
    assert gd.iterate(gd.games.dirac_gan(), RULES[1], START, 10).kernel == "eager"


@pytest.mark.parametrize("damage", ["", "{}", '{"program": {}, "counts": {}}', "[1]"])
def test_a_damaged_record_is_no_record(damage, compiled, monkeypatch):
    records = {file: file.read_text() for file in compiled[0].glob("*.json")}
    for file in records:
        file.write_text(damage)
    assert gd.iterate(gd.games.dirac_gan(), RULES[0], START, 10).kernel == "eager"
    for file, text in records.items():
        file.write_text(text)


@dataclasses.dataclass(frozen=True)
class Mine(gd.rules.SimultaneousGD):
    """A rule that could say something else tomorrow."""


def test_every_map_has_a_name_of_its_own_and_those_of_others_have_none():
    games = [gd.games.bilinear(), gd.games.bilinear([[2]]), gd.games.bilinear([[2.0000000001]]), gd.games.dirac_gan()]
    rules = [*RULES, gd.rules.GDA(0.1), *(gd.rules.HeavyBall(0.1, beta) for beta in (-0.3, 0, 0.3))]
    rules += [gd.rules.Unrolled(0.1, 1), gd.rules.Unrolled(0.1, 2), gd.rules.Adam(0.1)]
    keys = [structure.structure_of(rule).key for rule in rules]
    names = [recorded.name_of(game.content, key) for game, key in itertools.product(games, keys)]
    assert None not in names
    assert len(set(names)) == len(names)
    for rule in (Mine(0.1), gd.rules.Lookahead(Mine(0.1), 2, 0.5)):
        assert recorded.name_of(games[0].content, structure.structure_of(rule).key) is None
    assert recorded.name_of(gd.games.dirac_gan(penalty=gd.penalties.R1(np.array([0.1, 0.2]))).content, keys[0]) is None


def test_whatever_decides_a_map_is_part_of_its_name(monkeypatch):
    """Constraints' projections are a penalty's code and a game's: a record that outlived an edit of them was wrong."""
    game = gd.games.dirac_gan("wasserstein", clip=1)
    held = recorded.name_of(game.content, ())
    assert held is not None
    for room in ("penalties", "games", "oracles"):
        assert room in recorded.SOURCES
    monkeypatch.setattr(recorded, "SOURCES", tuple(room for room in recorded.SOURCES if room != "penalties"))
    assert recorded.name_of(game.content, ()) is None


def test_a_bit_that_flips_in_a_record_is_seen(compiled):
    """The library of x + 0.1 v runs x + 0.3 v too: a record of another constant was run without a word."""
    game, draws = gd.games.dirac_gan(), np.random.default_rng(0)
    for _ in range(40):
        file = draws.choice(sorted(compiled[0].glob("*.json")))
        content = bytearray(file.read_bytes())
        whole = bytes(content)
        content[draws.integers(len(content))] ^= 1 << int(draws.integers(8))
        file.write_bytes(content)
        assert recorded.find(file.name) is None
        file.write_bytes(whole)
    assert gd.iterate(game, RULES[0], START, 10).kernel == "c"
