"""SNGAN with the hinge loss on pictures of 16 x 16: functions for the losses, schedules that decay to zero."""

import argparse

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm as SpectralNorm

import gandyn as gd

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=300)
parser.add_argument("--batch_size", type=int, default=32)
parser.add_argument("--lr", type=float, default=5e-4)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
Z_dim = 8


def pictures(n):
    """Stripes, of any phase and one of two directions."""
    axis = torch.linspace(0, 6.28, 16)
    waves = (axis + 6.28 * torch.rand(n, 1)).sin()[:, None, None, :].expand(n, 1, 16, 16)
    return torch.where(torch.rand(n, 1, 1, 1) < 0.5, waves, waves.transpose(2, 3))


def hinge_d(on_real, on_fake):
    return F.relu(1.0 - on_real).mean() + F.relu(1.0 + on_fake).mean()


generator = nn.Sequential(
    nn.ConvTranspose2d(Z_dim, 16, 4), nn.BatchNorm2d(16), nn.ReLU(),
    nn.ConvTranspose2d(16, 8, 4, 2, 1), nn.BatchNorm2d(8), nn.ReLU(),
    nn.ConvTranspose2d(8, 1, 4, 2, 1), nn.Tanh(),
)  # fmt: skip
discriminator = nn.Sequential(
    SpectralNorm(nn.Conv2d(1, 8, 4, 2, 1)), nn.LeakyReLU(0.1),
    SpectralNorm(nn.Conv2d(8, 16, 4, 2, 1)), nn.LeakyReLU(0.1),
    nn.Flatten(), SpectralNorm(nn.Linear(256, 1)),
)  # fmt: skip
rule = gd.rules.Lookahead(gd.rules.Alternating(gd.rules.Adam(args.lr, (0.0, 0.9))), 5, 0.5)
optim_gen = gd.optim.for_modules(generator, discriminator, rule)
scheduler_g = torch.optim.lr_scheduler.ExponentialLR(optim_gen, gamma=0.999)

for step in range(args.steps):
    data = pictures(args.batch_size)
    z = torch.randn(args.batch_size, Z_dim, 1, 1)

    def losses(generator, discriminator):
        disc_loss = hinge_d(discriminator(data), discriminator(generator(z)))
        gen_loss = -discriminator(generator(z)).mean()
        return gen_loss, disc_loss

    gen_loss, disc_loss = optim_gen.step(losses)
    scheduler_g.step()
    if step % 100 == 0:
        print("disc loss", disc_loss.item(), "gen loss", gen_loss.item())
