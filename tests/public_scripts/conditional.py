"""A conditional GAN, label embeddings on both sides and least squares, as in collections of small GANs."""

import argparse

import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--n_batches", type=int, default=400)
parser.add_argument("--batch_size", type=int, default=64)
parser.add_argument("--lr", type=float, default=0.001)
parser.add_argument("--b1", type=float, default=0.5)
parser.add_argument("--b2", type=float, default=0.999)
parser.add_argument("--latent_dim", type=int, default=4)
parser.add_argument("--n_classes", type=int, default=3)
parser.add_argument("--seed", type=int, default=0)
opt = parser.parse_args()
torch.manual_seed(opt.seed)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.label_emb = nn.Embedding(opt.n_classes, opt.n_classes)
        self.model = nn.Sequential(
            nn.Linear(opt.latent_dim + opt.n_classes, 32), nn.BatchNorm1d(32), nn.LeakyReLU(0.2), nn.Linear(32, 2)
        )

    def forward(self, noise, labels):
        return self.model(torch.cat((self.label_emb(labels), noise), -1))


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.label_embedding = nn.Embedding(opt.n_classes, opt.n_classes)
        self.model = nn.Sequential(
            nn.Linear(2 + opt.n_classes, 32), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(32, 1)
        )

    def forward(self, points, labels):
        return self.model(torch.cat((points, self.label_embedding(labels)), -1))


adversarial_loss = nn.MSELoss()
generator = Generator()
discriminator = Discriminator()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=opt.lr, betas=(opt.b1, opt.b2))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=opt.lr, betas=(opt.b1, opt.b2))
valid, fake = torch.ones(opt.batch_size, 1), torch.zeros(opt.batch_size, 1)

for i in range(opt.n_batches):
    labels = torch.randint(opt.n_classes, (opt.batch_size,))
    real_points = torch.stack([labels - 1.0, 1.0 - labels % 2], 1) + 0.1 * torch.randn(opt.batch_size, 2)
    z = torch.randn(opt.batch_size, opt.latent_dim)
    gen_labels = torch.randint(opt.n_classes, (opt.batch_size,))

    # -----------------  Train Generator
    optimizer_G.zero_grad()
    gen_points = generator(z, gen_labels)
    g_loss = adversarial_loss(discriminator(gen_points, gen_labels), valid)
    g_loss.backward()
    optimizer_G.step()

    # -----------------  Train Discriminator
    optimizer_D.zero_grad()
    d_real_loss = adversarial_loss(discriminator(real_points, labels), valid)
    d_fake_loss = adversarial_loss(discriminator(gen_points.detach(), gen_labels), fake)
    d_loss = (d_real_loss + d_fake_loss) / 2
    d_loss.backward()
    optimizer_D.step()

    if i % 100 == 0:
        print(f"[Batch {i}/{opt.n_batches}] [D loss: {d_loss.item():f}] [G loss: {g_loss.item():f}]")
