"""DCGAN on pictures of 16 x 16, as tutorials write it: labels of ones and zeros, two backward passes for the critic."""

import argparse

import torch
from torch import nn

import gandyn as gd

parser = argparse.ArgumentParser()
parser.add_argument("--niter", type=int, default=400)
parser.add_argument("--batchSize", type=int, default=32)
parser.add_argument("--nz", type=int, default=16)
parser.add_argument("--ngf", type=int, default=8)
parser.add_argument("--lr", type=float, default=0.0004)
parser.add_argument("--manualSeed", type=int, default=0)
opt = parser.parse_args()
torch.manual_seed(opt.manualSeed)

axis = torch.linspace(-1, 1, 16)
centres = 0.5 * (2 * torch.rand(512, 2) - 1)
blobs = (-((axis[:, None] - centres[:, 0, None, None]) ** 2 + (axis - centres[:, 1, None, None]) ** 2) / 0.08).exp()
dataset = torch.utils.data.TensorDataset(2 * blobs[:, None] - 1)
dataloader = torch.utils.data.DataLoader(dataset, batch_size=opt.batchSize, shuffle=True, drop_last=True)


def weights_init(m):
    if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(m.weight, 0.0, 0.02)
    elif isinstance(m, nn.BatchNorm2d):
        nn.init.normal_(m.weight, 1.0, 0.02)
        nn.init.zeros_(m.bias)


netG = nn.Sequential(
    nn.ConvTranspose2d(opt.nz, 2 * opt.ngf, 4, 1, 0, bias=False),
    nn.BatchNorm2d(2 * opt.ngf),
    nn.ReLU(),
    nn.ConvTranspose2d(2 * opt.ngf, opt.ngf, 4, 2, 1, bias=False),
    nn.BatchNorm2d(opt.ngf),
    nn.ReLU(),
    nn.ConvTranspose2d(opt.ngf, 1, 4, 2, 1, bias=False),
    nn.Tanh(),
).apply(weights_init)
netD = nn.Sequential(
    nn.Conv2d(1, opt.ngf, 4, 2, 1, bias=False),
    nn.LeakyReLU(0.2),
    nn.Conv2d(opt.ngf, 2 * opt.ngf, 4, 2, 1, bias=False),
    nn.BatchNorm2d(2 * opt.ngf),
    nn.LeakyReLU(0.2),
    nn.Conv2d(2 * opt.ngf, 1, 4, 1, 0, bias=False),
    nn.Flatten(0),
    nn.Sigmoid(),
).apply(weights_init)

criterion = nn.BCELoss()
optimizer = gd.optim.for_modules(netG, netD, gd.rules.ExtraAdam(opt.lr, betas=(0.5, 0.999)))

iters = 0
while iters < opt.niter:
    for (real,) in dataloader:
        label = torch.ones(len(real))
        noise = torch.randn(len(real), opt.nz, 1, 1)

        def losses(netG, netD):
            errD_real = criterion(netD(real), label)
            fake = netG(noise)
            errD_fake = criterion(netD(fake.detach()), 0 * label)
            errD = errD_real + errD_fake
            errG = criterion(netD(fake), label)
            return errG, errD

        errG, errD = optimizer.step(losses)
        if iters % 100 == 0:
            print(f"[{iters}/{opt.niter}] Loss_D: {errD.item():.4f} Loss_G: {errG.item():.4f}")
        iters += 1
        if iters >= opt.niter:
            break
