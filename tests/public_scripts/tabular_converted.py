"""A GAN of table rows, two numbers and a category of three, with a class that fits as in packages for such tables."""

import argparse

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import gandyn as gd

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()
torch.manual_seed(arguments.seed)
rng = np.random.default_rng(arguments.seed)

kind = rng.choice(3, size=1000, p=[0.5, 0.3, 0.2])
table = np.column_stack([rng.normal([20.0, 45.0, 70.0], 5.0)[..., None].T.repeat(1000, 0)[np.arange(1000), kind],
                         rng.lognormal(3.0 + 0.4 * kind, 0.2), np.eye(3)[kind]])  # fmt: skip
table[:, :2] = (table[:, :2] - table[:, :2].mean(0)) / table[:, :2].std(0)


class TabularGAN:
    def __init__(self, batch_size=100, embedding_dim=8):
        self.batch_size, self.embedding_dim = batch_size, embedding_dim
        self.generator = nn.Sequential(nn.Linear(embedding_dim, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 5))
        self.discriminator = nn.Sequential(nn.Linear(5, 64), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(64, 1))

    def apply_activate(self, data):
        return torch.cat([data[:, :2], functional.gumbel_softmax(data[:, 2:], tau=0.2)], 1)

    def fit(self, train_data, epochs):
        generator, discriminator = self.generator, self.discriminator
        rule = gd.rules.Alternating(gd.rules.AdamW(1e-3, (0.5, 0.9), weight_decay=(1e-6, 0.0)))
        optimizer = gd.optim.for_modules(generator, discriminator, rule)
        steps_per_epoch = max(len(train_data) // self.batch_size, 1)
        for epoch in range(epochs):
            for _ in range(steps_per_epoch):
                rows = train_data[rng.integers(len(train_data), size=self.batch_size)]
                real = torch.from_numpy(rows.astype("float32"))
                fakez = torch.randn(self.batch_size, self.embedding_dim)

                def losses(generator, discriminator):
                    y_fake = discriminator(self.apply_activate(generator(fakez)).detach())
                    y_real = discriminator(real)
                    loss_d = functional.softplus(y_fake).mean() + functional.softplus(-y_real).mean()
                    y_fake = discriminator(self.apply_activate(generator(fakez)))
                    loss_g = functional.softplus(-y_fake).mean()
                    return loss_g, loss_d

                loss_g, loss_d = optimizer.step(losses)
            if epoch % 10 == 0:
                print(f"Epoch {epoch}, Loss G: {loss_g.item(): .4f}, Loss D: {loss_d.item(): .4f}")


gan = TabularGAN()
gan.fit(table, arguments.epochs)
generator, discriminator = gan.generator, gan.discriminator
