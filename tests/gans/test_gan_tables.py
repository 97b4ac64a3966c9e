"""Tabular GANs: rows and back, conditions, packs, slopes of packed rows, and scores of made tables."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import gandyn as gd
from gandyn.errors import DomainError, GandynError, ParameterError
from gandyn.gans import architectures
from gandyn.gans.datasets.mixed_tables import MixedTable, read_cells, write_cells
from gandyn.gans.metrics.tables import table_scores
from gandyn.gans.systems.tabular import PackedSlope

N = 60


def cells(seed=0):
    rng = np.random.default_rng(seed)
    side = rng.random(N) < 0.3
    lengths = np.where(side, rng.normal(10, 0.5, N), rng.normal(-3, 1.0, N))
    return {
        "length": ["" if k % 10 == 9 else f"{x:.6g}" for k, x in enumerate(lengths)],
        "kind": ["b" if s else "a" for s in side],
        "count": [str(int(n)) for n in rng.integers(100, 900, N)],
        "place": [["x", "y", ""][k % 3] for k in range(N)],
    }


@pytest.fixture(scope="module")
def table():
    return MixedTable("small", cells())


def tabular(table, dtype=torch.float64, **options):
    maker = architectures.tabular_generator(latent=3, hidden=(5,), seed=0)
    judge = architectures.tabular_discriminator(hidden=(6,), dropout=0.0, seed=1)
    given = {"pack": 2, "batch_size": 8, **options}
    torch.set_default_dtype(dtype)
    try:
        return gd.gans.systems.tabular(maker, judge, data=table.to(None, dtype), **given)
    finally:
        torch.set_default_dtype(torch.float32)


def test_rows_turn_back_into_the_table(table):
    given, found = table.cells, table.decode(table.rows.double())
    assert found["kind"] == given["kind"]
    assert found["place"] == given["place"]
    assert found["count"] == given["count"]  # whole numbers stay whole
    for cell, back in zip(given["length"], found["length"], strict=True):
        assert (cell == "") == (back == "")
        if cell:
            assert float(back) == pytest.approx(float(cell), abs=1e-4)
    number = table.columns[0]
    assert number.missing
    assert number.kinds == len(number.means) + 1
    assert any(abs(m - 10) < 1 for m in number.means)


def test_a_numbers_entry_is_its_place_in_a_mode(table):
    column, row, k = table.columns[0], table.rows[:, table.places[0]].double(), 3
    mode = int(row[k, 1:].argmax())
    place = (float(table.cells["length"][k]) - column.means[mode]) / (4 * column.stds[mode])
    assert float(row[k, 0]) == pytest.approx(place, abs=1e-6)


def test_conditions_are_drawn_by_logarithms_or_counts_and_rows_meet_them(table):
    source = torch.Generator().manual_seed(0)
    rows, conditions = table.sample_labelled(4000, source)
    assert conditions.sum(1).tolist() == [1.0] * 4000
    start = 0
    for k, count in zip(table.conditional, table.counts, strict=True):
        asked = conditions[:, start : start + len(count)]
        met = (rows[:, table.places[k]] * asked).sum(1)
        assert torch.equal(met, asked.sum(1))
        start += len(count)
    kinds = conditions[:, : len(table.counts[0])]
    share = (table.counts[0] + 1).log() / (table.counts[0] + 1).log().sum()
    assert float(kinds[:, 0].sum() / kinds.sum()) == pytest.approx(float(share[0]), abs=0.04)
    counted = table.conditions(4000, source, counted=True)[0][:, : len(table.counts[0])]
    assert float(counted[:, 0].sum() / counted.sum()) == pytest.approx(float(table.counts[0][0]) / N, abs=0.04)


def test_900_to_100_becomes_596_to_404_by_logarithms():
    table = MixedTable("two", {"kind": ["a"] * 900 + ["b"] * 100})
    chances = (table.counts[0] + 1).log()
    assert float(chances[0] / chances.sum()) == pytest.approx(0.596, abs=5e-4)


def test_costs_are_those_of_packs_with_the_slope_of_a_packed_row_and_the_column_asked_for(table):
    game = tabular(table, pack=2, gamma=3.0, asked=0.5)
    plain = tabular(table, pack=2, gamma=0.0, asked=0.0)
    w, token = game.w0, game.draw(np.random.default_rng(0))
    body = game.discriminator.body
    with torch.no_grad(), game._evaluation(token, training=False):
        fake = game.generator(token.latent, token.labels)
    with torch.no_grad():
        packs = [torch.cat([x, token.labels], 1).reshape(4, -1) for x in (token.real, fake)]
        source = float((body(packs[1]) - body(packs[0])).mean())
        of_maker = -source  # of a zero-sum loss, the part that it cannot change included
    assert [float(c) for c in plain.costs(plain.w0, token)] == pytest.approx([of_maker, source], rel=1e-9)
    # The penalty again, by the packed row and the same uniforms.
    with torch.enable_grad(), game._evaluation(token, training=False):
        critic = game._critic(game.discriminator, token, game.generator(token.latent, token.labels))
    critic.stream(2 + 1)
    share = critic.uniform(critic.real, per_point=True)[::2, None]
    width = token.real.shape[1]
    total = 0.0
    for k in range(4):
        own = slice(2 * k, 2 * k + 2)
        mixed = token.real[own] + share[k] * (critic.fake[own].detach() - token.real[own])
        point = torch.cat([mixed, token.labels[own]], 1).requires_grad_()
        (slope,) = torch.autograd.grad(body(point.reshape(1, -1)).sum(), point)
        total += (float(slope[:, :width].norm()) - 1) ** 2 / 4
    assert float(game.costs(w, token)[1]) - source == pytest.approx(3.0 * total, rel=1e-9)
    # The cross-entropy, by the raw outputs.
    with torch.no_grad(), game._evaluation(token, training=False):
        raw = game.generator.body(torch.cat([token.latent, token.labels], 1))
    missed, start = 0.0, 0
    for k, count in zip(table.conditional, table.counts, strict=True):
        asked = token.labels[:, start : start + len(count)]
        for n in range(8):
            if asked[n].sum():
                logits = raw[n, table.places[k]]
                missed += float(nn.functional.cross_entropy(logits[None], asked[n].argmax()[None])) / 8
        start += len(count)
    assert float(game.costs(w, token)[0]) == pytest.approx(of_maker + 0.5 * missed, rel=1e-9)


def test_its_field_is_the_gradient_by_differences(table):
    game = tabular(table, loss="nonsaturating")
    rng = np.random.default_rng(0)
    token, w = game.draw(rng), game.w0 + 0.05 * torch.tensor(rng.normal(size=game.dim))
    v, step = game.field(w, token), 1e-6
    for i, block in enumerate(game.slices):
        for k in rng.choice(range(block.start, block.stop), 4, replace=False):
            unit = torch.zeros_like(w)
            unit[k] = step
            slope = (game.costs(w + unit, token)[i] - game.costs(w - unit, token)[i]) / (2 * step)
            assert float(v[k]) == pytest.approx(float(slope), abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("rule", [gd.rules.GDA(0.01), gd.rules.Extragradient(0.01), gd.rules.OptimisticAdam(1e-3)],
                         ids=lambda rule: rule.name)  # fmt: skip
def test_it_trains_by_any_rule_and_resumes_exactly(table, rule, tmp_path):
    options = {"metrics": None, "folder": tmp_path}
    gd.gans.train(tabular(table), rule, 2, **options)
    resumed = gd.gans.train(tabular(table), rule, 4, **options)
    assert torch.equal(resumed.w, gd.gans.train(tabular(table), rule, 4, metrics=None).w)


def test_csv_in_and_out(table, tmp_path):
    path = tmp_path / "small.csv"
    write_cells(path, table.cells)
    assert read_cells(path) == table.cells
    game = tabular(table)
    game.save_table(tmp_path / "made.csv", game.w0, 7)
    made = read_cells(tmp_path / "made.csv")
    assert list(made) == list(table.cells)
    assert len(made["kind"]) == 7
    assert set(made["kind"]) <= {"a", "b"}
    assert game.table(game.w0, 7) == made


def test_a_table_without_categories_has_no_conditions():
    rng = np.random.default_rng(0)
    table = MixedTable("numbers", {name: [f"{x:.4f}" for x in rng.normal(size=N)] for name in "xy"})
    game = tabular(table)
    assert game.reference.labels.shape == (8, 0)
    assert len(game.table(game.w0, 5)["x"]) == 5
    assert bool(game.field(game.w0, game.reference).isfinite().all())


def test_scores_are_best_for_the_table_itself(table):
    same, other = (table_scores(table, made, "kind") for made in (table.cells, cells(1)))
    assert same["marginals"] == same["correlations"] == 0
    assert other["marginals"] > 0
    assert other["accuracy"] > 0.9  # the length tells the kind
    shuffled = {**table.cells, "kind": table.cells["kind"][::-1]}
    assert table_scores(table, shuffled, "kind")["accuracy"] < other["accuracy"]


def test_penguins_are_what_the_package_holds():
    pytest.importorskip("palmerpenguins", reason="needs the extra gandyn[data]")
    table = gd.gans.datasets.penguins()
    assert len(table) == 344
    assert sum(cell == "" for column in table.cells.values() for cell in column) == 19
    assert [c.name for c in table.columns if not c.categories] == [
        "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g",
    ]  # fmt: skip
    assert [c.kinds for c in table.columns if c.name in ("species", "island")] == [3, 3]


def test_what_is_no_table_or_no_pack_is_refused(table, tmp_path):
    for wrong in ({"pack": 3}, {"gamma": -1.0}, {"asked": -1.0}):
        with pytest.raises(GandynError):
            tabular(table, **wrong)
    for columns in ({"a": ["1"], "b": []}, {"a": ["", ""]}, {}):
        with pytest.raises(GandynError):
            MixedTable("odd", columns)
    with pytest.raises(ParameterError, match="column 'b'"):
        MixedTable("names", {"a": ["1"]}, ["b"])
    with pytest.raises(ParameterError, match="cannot be read"):
        read_cells(tmp_path / "nothing.csv")
    with pytest.raises(DomainError, match="tabular GAN of"):
        gd.gans.systems.tabular(*gd.gans.mlp_pair(hidden=(4,)), data="ring")
    with pytest.raises(ParameterError, match="CPU"):
        table.to("cuda")


def test_a_packs_slope_is_a_mean_over_its_rows():
    """The logit of a pack of three stands three times in the sum, so that |grad|^2 is a ninth of the rows' sum."""

    class Critic:
        real, fake = torch.zeros(6, 2), torch.ones(6, 2)

        def uniform(self, like, per_point):
            return torch.full((6, 1), 0.5)

        def squared_slope(self, points):
            assert float((points - 0.5).abs().max()) == 0
            return torch.tensor([12.0, 12, 12, 0, 0, 0])

    cost = PackedSlope(2.0, 3).cost(Critic())
    assert float(cost) == pytest.approx(2 * ((2 - 1) ** 2 + (0 - 1) ** 2) / 2)


def test_a_uniform_number_of_one_makes_no_infinite_row(table, monkeypatch):
    """Single precision rounds numbers near 1 to 1, whose Gumbel variable is infinite."""
    game = tabular(table, pack=1, gamma=0.0, asked=0.0)
    token = game.draw(np.random.default_rng(0))
    monkeypatch.setattr(torch, "rand_like", torch.ones_like)
    assert bool(game.generator(token.latent, token.labels).isfinite().all())
