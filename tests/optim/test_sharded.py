"""Modules under torch's `fully_shard`: two processes that hold half of everything are one that holds all of it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROCESSES = """
import os, warnings, torch, torch.distributed as dist
warnings.simplefilter("ignore")
import gandyn as gd
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.functional import softplus
torch.set_num_threads(1)
dist.init_process_group("gloo")
rank, R = dist.get_rank(), gd.rules
mesh = init_device_mesh("cpu", (2,))

def pair():
    torch.manual_seed(0)
    body = lambda out: torch.nn.Sequential(torch.nn.Linear(2, 6), torch.nn.Tanh(), torch.nn.Linear(6, out)).double()
    return body(2), body(1)

real, latent = torch.randn(2, 16, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

def losses(part, turns):
    def of(g, d):
        on_fake, on_real = d(g(latent[part])), d(real[part])
        return softplus(-on_fake).mean(), (softplus(on_fake) + softplus(-on_real)).mean()
    def chosen(g, d, *, only):
        return of(g, d)
    return chosen if turns else of

for rule in (R.Alternating(R.Adam(0.01)), R.ExtraAdam(0.05), R.Extragradient(0.05), R.OptimisticGD(0.05)):
    alone, shared = pair(), pair()
    for net in shared:
        fully_shard(net[0], mesh=mesh)
        fully_shard(net, mesh=mesh)
    one, two = gd.optim.for_modules(*alone, rule), gd.optim.for_modules(*shared, rule)
    turns = isinstance(rule, R.Alternating)
    for _ in range(5):
        seen = one.step(losses(slice(None), turns)), two.step(losses(slice(rank, None, 2), turns))
    whole = torch.cat([p.detach().reshape(-1) for net in alone for p in net.parameters()])
    gathered = torch.cat([p.full_tensor().detach().reshape(-1) for net in shared for p in net.parameters()])
    torch.testing.assert_close(gathered, whole, rtol=1e-9, atol=1e-11)
    assert (whole - torch.cat([p.detach().reshape(-1) for net in pair() for p in net.parameters()])).norm() > 1e-3
    held = sum(a.numel() for _, a in two.rule_state.leaves())
    kept = sum(a.numel() for _, a in one.rule_state.leaves())
    numbers = torch.tensor([float(held)])
    dist.all_reduce(numbers)
    assert int(numbers) == kept and (kept == 0 or held < kept), (held, kept)
for rule in (R.Consensus(0.1, 0.1), R.Alternating(R.CompetitiveGD(0.1)), R.Lookahead(R.Adam(0.1), 2, 0.5)):
    try:
        gd.optim.for_modules(*shared, rule)
    except gd.errors.DomainError as error:
        assert "sharded modules" in str(error), error
    else:
        raise AssertionError(rule)
try:
    gd.optim.for_modules(shared[0], pair()[1], R.GDA(0.1))
except gd.errors.DomainError as error:
    assert "whole in each process" in str(error), error
else:
    raise AssertionError("half sharded")
dist.barrier()
dist.destroy_process_group()
os._exit(0)  # all is asserted; torch may end a thread of its own badly while Python shuts down
"""


@pytest.mark.slow
def test_sharded_modules_are_trained_as_whole_ones(tmp_path):
    """To rounding after five steps of four rules; the state of a rule lies in halves; others are refused."""
    script = tmp_path / "two.py"
    script.write_text(PROCESSES)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
