"""WGAN-GP on eight Gaussians, five critic steps to one of the generator, in the manner of the authors' ports."""

import argparse
import math

import torch
from torch import autograd, nn

import gandyn as gd

parser = argparse.ArgumentParser()
parser.add_argument("--iters", type=int, default=300)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
DIM, LAMBDA, CRITIC_ITERS, BATCH_SIZE = 64, 0.1, 5, 128


def inf_train_gen():
    while True:
        angle = torch.randint(8, (BATCH_SIZE,)) * (2 * math.pi / 8)
        yield 2 * torch.stack([angle.cos(), angle.sin()], 1) + 0.02 * torch.randn(BATCH_SIZE, 2)


def calc_gradient_penalty(netD, real_data, fake_data):
    alpha = torch.rand(BATCH_SIZE, 1)
    interpolates = (alpha * real_data + (1 - alpha) * fake_data).requires_grad_(True)
    gradients = autograd.grad(netD(interpolates).sum(), interpolates, create_graph=True)[0]
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean() * LAMBDA


netG = nn.Sequential(nn.Linear(2, DIM), nn.ReLU(), nn.Linear(DIM, DIM), nn.ReLU(), nn.Linear(DIM, 2))
netD = nn.Sequential(nn.Linear(2, DIM), nn.ReLU(), nn.Linear(DIM, DIM), nn.ReLU(), nn.Linear(DIM, 1))
rule = gd.rules.Alternating(gd.rules.Adam(1e-3, (0.5, 0.9)), order=(1, 0), repeats=(1, CRITIC_ITERS))
optimizer = gd.optim.for_modules(netG, netD, rule)
data = inf_train_gen()

for iteration in range(args.iters):

    def losses(netG, netD, real_data):
        fake = netG(torch.randn(BATCH_SIZE, 2)).detach()
        D_cost = netD(fake).mean() - netD(real_data).mean() + calc_gradient_penalty(netD, real_data, fake)
        G_cost = -netD(netG(torch.randn(BATCH_SIZE, 2))).mean()
        return G_cost, D_cost

    G_cost, D_cost = optimizer.step(losses, data)
    if iteration % 100 == 0:
        print(f"iter {iteration}: D {D_cost.item():.4f} G {G_cost.item():.4f}")
