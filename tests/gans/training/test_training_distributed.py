"""Two processes that share each batch agree with one that has it all, for rules of every kind."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import types

import numpy as np
import pytest
import torch

import gandyn as gd
from gandyn.errors import ParameterError
from gandyn.gans.training import checkpoint
from gandyn.gans.training.distributed import DistributedGame, Group, joined, whole

SCRIPT = """
import json, sys, torch
torch.set_num_threads(1)
import gandyn as gd
from gandyn.gans.training.distributed import DistributedGame, joined
R = gd.rules
RULES = {rules}
found = {{}}
with joined("gloo") as group:
    for name, make in RULES.items():
        torch.manual_seed(0)
        pair = (m.double() for m in gd.gans.mlp_pair(hidden=(8, 8)))
        game = gd.gans.GANGame(*pair, "nonsaturating", "R1(0.1)", data=gd.gans.ring(), batch_size=32)
        shared = game if group is None else DistributedGame(game, group)
        run = gd.gans.train(shared, make(), 8, log_every=4, average=0.9, folder=sys.argv[2] + name)
        found[name] = dict(w=run.w.tolist(), rows=[r["losses"] for r in run.rows], rank=getattr(group, "rank", 0))
    if group is None or group.rank == 0:
        json.dump(found, open(sys.argv[1], "w"))
"""
RULES = """{
    "first_order": lambda: R.Alternating(R.Adam(1e-3, (0.0, 0.99))),
    "extrapolating": lambda: R.Extragradient(0.05, fresh=True),
    "second_order": lambda: R.Consensus(0.05, 0.1),
    "solving": lambda: R.CompetitiveGD(0.05),
}"""


def torchrun(script, *arguments, processes=2):
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        f"--nproc-per-node={processes}",
        str(script),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, env=environment, timeout=500
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done


@pytest.mark.slow
def test_two_processes_are_one_with_the_whole_batch(tmp_path):
    """In float64, with a penalty, without batch statistics: to 1e-6 (and in fact to rounding)."""
    script = tmp_path / "shared.py"
    script.write_text(SCRIPT.format(rules=RULES))
    torchrun(script, tmp_path / "two.json", tmp_path / "two-")
    subprocess.run([sys.executable, script, tmp_path / "one.json", str(tmp_path / "one-")], check=True, timeout=500)
    two, one = (json.loads((tmp_path / f"{n}.json").read_text()) for n in ("two", "one"))
    assert set(two) == set(one) == {"first_order", "extrapolating", "second_order", "solving"}
    start = torch.cat(
        [p.double().reshape(-1) for m in gd.gans.mlp_pair(hidden=(8, 8)) for p in m.parameters()]
    ).detach()
    for name in one:
        a, b = np.array(two[name]["w"]), np.array(one[name]["w"])
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9, err_msg=name)
        assert np.abs(b - start.numpy()).max() > 1e-4
        for x, y in zip(two[name]["rows"], one[name]["rows"], strict=True):
            assert x == pytest.approx(y, abs=1e-9)
        first, second = (tmp_path / f"{n}-{name}" for n in ("two", "one"))
        assert sorted(p.name for p in first.iterdir()) == sorted(p.name for p in second.iterdir())


@pytest.mark.slow
def test_the_command_under_torchrun(tmp_path):
    """The command under torchrun is the command of one process; the first process writes and speaks."""
    script = tmp_path / "command.py"
    script.write_text("from gandyn.cli import main\nmain()\n")
    done = torchrun(script, "train", "ring-alternating-adam", "--steps", "4", "--out", tmp_path / "run", "--json")
    assert json.loads(done.stdout)["step"] == 4
    assert gd.gans.TrainingRun.load(tmp_path / "run").step == 4


# --- in one process ---------------------------------------------------------------------------------------------------


def ring(size=12):
    pair = (m.double() for m in gd.gans.mlp_pair(hidden=(8,)))
    return gd.gans.GANGame(*pair, "nonsaturating", "R1(0.1)", data=gd.gans.ring(), batch_size=size)


def test_the_parts_make_the_whole():
    """Means over the parts of a batch, computed by hand, are the whole batch's costs, fields and products."""
    game = ring()
    parts = [DistributedGame(game, Group(rank, 3)) for rank in range(3)]
    w, u = game.w0, torch.randn(game.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    token = game.draw(np.random.default_rng(5))
    tokens = [part.draw(np.random.default_rng(5)) for part in parts]
    assert sorted(torch.cat([t.latent for t in tokens]).flatten().tolist()) == sorted(token.latent.flatten().tolist())
    assert len({t.seed for t in tokens}) == 3

    def close(ask):
        mean = sum(ask(t) for t in tokens) / 3
        torch.testing.assert_close(mean, ask(token), rtol=1e-10, atol=1e-12)

    close(lambda t: game.field(w, t))
    close(lambda t: game.jvp(w, u, t))
    close(lambda t: game.vjp(w, u, t))
    close(lambda t: torch.stack(game.costs(w, t)))
    held, shares = (
        game.draw_held_out(np.random.default_rng(5)),
        [p.draw_held_out(np.random.default_rng(5)) for p in parts],
    )
    assert sorted(torch.cat([t.latent for t in shares]).flatten().tolist()) == sorted(held.latent.flatten().tolist())
    torch.testing.assert_close(sum(game.field(w, t) for t in shares) / 3, game.field(w, held), rtol=1e-10, atol=1e-12)
    assert parts[0].chief
    assert not parts[1].chief
    assert parts[1].batch_size(tokens[1]) == 12
    assert whole(parts[0]) is whole(game) is game


class Noted(torch.utils.data.Dataset):
    """Points with noise of their own at each reading, and which of them were read."""

    def __init__(self):
        self.read = []

    def __len__(self):
        return 50

    def __getitem__(self, k):
        self.read.append(k)
        return torch.tensor([float(k), -float(k)]) + torch.randn(2)


def test_each_process_reads_its_own_part_of_a_data_set():
    """Items are those of the whole batch, their random transforms included, and nobody reads another's."""
    data = Noted()
    game = gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(4,)), data=data, batch_size=12)
    data.read.clear()
    whole_batch = game.draw(np.random.default_rng(5)).real
    everything, parts = data.read[:], []
    for rank in range(3):
        data.read.clear()
        parts.append(DistributedGame(game, Group(rank, 3)).draw(np.random.default_rng(5)).real)
        assert data.read == everything[rank::3]
    for rank, part in enumerate(parts):
        assert torch.equal(part, whole_batch[rank::3])
    assert len(game.draw(np.random.default_rng(5)).real) == 12


def test_a_group_of_one_answers_as_the_game(tmp_path, monkeypatch):
    """Through gloo itself: every answer of the oracle, and every rule's step on it."""
    for name, value in {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0", "RANK": "0", "WORLD_SIZE": "1"}.items():
        monkeypatch.setenv(name, value)
    store = torch.distributed.FileStore(str(tmp_path / "store"), 1)
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        game = ring()
        shared = DistributedGame(game, Group(0, 1))
        w = game.w0
        u = torch.ones_like(w)
        token = shared.draw(np.random.default_rng(1))
        for name, arguments in {
            "field": (w, token), "field_and_graph": (w, token), "jvp": (w, u, token), "vjp": (w, u, token),
            "cost_gradients": (w, token), "coupling": (w, u, token),
        }.items():  # fmt: skip
            torch.testing.assert_close(getattr(shared, name)(*arguments), getattr(game, name)(*arguments))
        for mine, theirs in zip(shared.parts(w, u, token), game.parts(w, u, token), strict=True):
            torch.testing.assert_close(mine, theirs)
        assert shared.agree(True)
        assert not shared.agree(False)
        for rule in (gd.rules.Alternating(gd.rules.Adam(1e-3)), gd.rules.ExtraAdam(1e-3), gd.rules.SGA(0.01, 0.5)):
            alone = gd.gans.train(ring(), rule, 3, seed=4)
            together = gd.gans.train(DistributedGame(ring(), Group(0, 1)), rule, 3, seed=4)
            torch.testing.assert_close(together.w, alone.w, rtol=1e-12, atol=1e-14)
            assert together.counts.fields == alone.counts.fields
    finally:
        torch.distributed.destroy_process_group()


def test_refusals():
    with pytest.raises(ParameterError, match="a batch of 12 for 5 processes"):
        DistributedGame(ring(), Group(0, 5))
    with joined() as group:
        assert group is None


COMMAND = "import os; from gandyn.cli import main; print(os.getpid(), flush=True); main()"


def ranks(folder, port, steps=40):
    """Two processes as torchrun starts them."""
    train = ["train", "ring-alternating-adam", "--steps", str(steps), "--out", str(folder)]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    return [
        subprocess.Popen(
            [sys.executable, "-c", COMMAND, *train], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]  # fmt: skip


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.slow
def test_a_killed_process_ends_the_other_and_the_run_goes_on(tmp_path):
    """Within a minute and with one line; then both go on to the numbers of a run that nobody killed."""
    folder, seen = tmp_path / "run", 0
    for victim in (1, 0):
        running = ranks(folder, free_port())
        until = time.monotonic() + 120
        while newest(folder) <= seen and time.monotonic() < until:
            time.sleep(0.01)
        running[victim].kill()
        _, errors = running[1 - victim].communicate(timeout=60)
        running[victim].communicate()
        seen = newest(folder)
        assert [line[:47] for line in errors.splitlines() if "error" in line] == [
            "error: another process of the run has ended (Ru"
        ], errors
        assert "Traceback" not in errors
        assert running[1 - victim].returncode == 2
    for place in (folder, tmp_path / "alone"):
        for process in ranks(place, free_port()):
            _, errors = process.communicate(timeout=300)
            assert process.returncode == 0, errors
    killed, alone = (gd.gans.TrainingRun.load(place) for place in (folder, tmp_path / "alone"))
    assert bool((killed.w == alone.w).all())
    assert [row["step"] for row in killed.rows] == [row["step"] for row in alone.rows]


def newest(folder):
    return max((int(path.name[11:-5]) for path in checkpoint.listed(folder)), default=0)


@pytest.mark.parametrize(
    ("rule", "vectors"),
    [
        (gd.rules.Alternating(gd.rules.Adam(1e-3)), 1),
        (gd.rules.GDA(0.1), 1),
        (gd.rules.Extragradient(0.1), 2),
        (gd.rules.Consensus(0.1, 0.1), 2),
    ],
    ids=str,
)
def test_a_step_reduces_its_own_numbers_and_no_more(rule, vectors, monkeypatch):
    """In players' turns d numbers in all, and d for each field or product of a joint step."""
    sent, work = [], types.SimpleNamespace(wait=lambda: None)
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda tensor, **options: sent.append(tensor.numel()) or work)
    game = DistributedGame(ring(), Group(0, 2))
    state = rule.init(game, game.w0, np.random.default_rng(0))
    sent.clear()
    rule.step(game, game.w0, state, np.random.default_rng(0))
    assert sum(sent) == vectors * game.dim
