"""A dual-discriminator GAN (one rewards data, the other samples) on eight Gaussians, one optimiser a network."""

import argparse
import math

import torch
from torch import nn, optim

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=400)
parser.add_argument("--seed", type=int, default=0)
config = parser.parse_args()
torch.manual_seed(config.seed)
ALPHA, BETA, BATCH = 0.2, 0.1, 128


def real_samples(n):
    angle = torch.randint(8, (n,)) * (2 * math.pi / 8)
    return 2 * torch.stack([angle.cos(), angle.sin()], 1) + 0.02 * torch.randn(n, 2)


def mlp(inputs, outputs, *last):
    return nn.Sequential(nn.Linear(inputs, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2),
                         nn.Linear(64, outputs), *last)  # fmt: skip


G, D1, D2 = mlp(4, 2), mlp(2, 1, nn.Softplus()), mlp(2, 1, nn.Softplus())
g_optim = optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.999))
d1_optim = optim.Adam(D1.parameters(), lr=5e-4, betas=(0.5, 0.999))
d2_optim = optim.Adam(D2.parameters(), lr=5e-4, betas=(0.5, 0.999))

for epoch in range(config.epochs):
    x, z = real_samples(BATCH), torch.randn(BATCH, 4)
    # update D1
    d1_optim.zero_grad()
    d1_loss = (-ALPHA * (D1(x) + 1e-6).log() + D1(G(z).detach())).mean()
    d1_loss.backward()
    d1_optim.step()
    # update D2
    d2_optim.zero_grad()
    d2_loss = (D2(x) - BETA * (D2(G(z).detach()) + 1e-6).log()).mean()
    d2_loss.backward()
    d2_optim.step()
    # update G
    g_optim.zero_grad()
    g_loss = (-D1(G(z)) + BETA * (D2(G(z)) + 1e-6).log()).mean()
    g_loss.backward()
    g_optim.step()
    if epoch % 100 == 0:
        print(f"epoch {epoch}: g {g_loss.item():.3f} d1 {d1_loss.item():.3f} d2 {d2_loss.item():.3f}")
