"""Small GANs in double precision, one for each layer that people use; their products are held to differences."""

import warnings

import torch
from torch import nn
from torch.nn import functional

import gandyn as gd

VECTORS, IMAGES, SEQUENCES = (4,), (3, 6, 6), (5, 4)


class Function(nn.Module):
    """f(x, p) with a parameter p."""

    def __init__(self, function, *shape):
        super().__init__()
        self.function, self.p = function, nn.Parameter(0.3 + 0.5 * torch.randn(*shape))

    def forward(self, x):
        return self.function(x, self.p)


class First(nn.Module):
    """The first of a layer's answers, as recurrent layers give several."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0]


class Attention(nn.Module):
    """Self-attention; the weights are asked for or not, which takes another way through torch."""

    def __init__(self, weights=False, dropout=0.0):
        super().__init__()
        self.attention, self.weights = nn.MultiheadAttention(4, 2, dropout, batch_first=True), weights

    def forward(self, x):
        return x + self.attention(x, x, x, need_weights=self.weights)[0]


class BatchStdDev(nn.Module):
    """Karras et al.'s minibatch standard deviation, in groups of four, as one more channel."""

    def forward(self, x):
        y = x.unflatten(0, (4, -1))
        y = (y.var(0, unbiased=False) + 1e-8).sqrt().flatten(1).mean(1)
        return torch.cat([x, y.repeat(4).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])], 1)


class MinibatchDiscrimination(nn.Module):
    """Salimans et al.'s: how near the other points of the batch are, by exponentials of L1 distances."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(0.3 * torch.randn(4, 3, 2))

    def forward(self, x):
        m = torch.einsum("bi,ikl->bkl", x, self.weight)
        return torch.cat([x, (-(m[:, None] - m[None]).abs().sum(-1)).exp().sum(1)], 1)


class ComplexLinear(nn.Module):
    """A complex weight; moduli come out."""

    def __init__(self):
        super().__init__()
        self.real, self.imaginary = nn.Parameter(0.5 * torch.randn(4, 4)), nn.Parameter(0.5 * torch.randn(4, 4))

    def forward(self, x):
        weight = torch.complex(self.real, self.imaginary)
        return (torch.complex(x, 0.3 * x) @ weight).abs()


class Spectrum(nn.Module):
    """Moduli of a Fourier transform."""

    def forward(self, x):
        return torch.fft.rfft(x).abs()


class Tied(nn.Module):
    """One weight in two places."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(4, 4), nn.Linear(4, 4)
        self.two.weight = self.one.weight

    def forward(self, x):
        return self.two(torch.tanh(self.one(x)))


class Listed(nn.Module):
    """Layers in a ModuleList, called one by one through a method of its own."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])

    def features(self, x):
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return x

    def forward(self, x):
        return self.features(x)


def old(normalise, layer):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return normalise(layer)


def linear(*layers):
    return lambda: nn.Sequential(nn.Linear(4, 4), *(layer() for layer in layers))


def conv(*layers):
    return lambda: nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), *(layer() for layer in layers))


def interpolated(**options):
    return conv(lambda: Function(lambda x, p: functional.interpolate(x * p, **options), 1))


P, OLD = nn.utils.parametrizations, nn.utils
INDICES = torch.arange(8) % 3

LAYERS = {
    "BatchNorm1d": (linear(lambda: nn.BatchNorm1d(4)), VECTORS),
    "BatchNorm2d": (conv(lambda: nn.BatchNorm2d(4)), IMAGES),
    "BatchNorm2d not affine": (conv(lambda: nn.BatchNorm2d(4, affine=False)), IMAGES),
    "BatchNorm2d not tracking": (conv(lambda: nn.BatchNorm2d(4, track_running_stats=False)), IMAGES),
    "LayerNorm": (linear(lambda: nn.LayerNorm(4)), VECTORS),
    "LayerNorm of images": (conv(lambda: nn.LayerNorm([4, 6, 6])), IMAGES),
    "InstanceNorm2d": (conv(lambda: nn.InstanceNorm2d(4, affine=True)), IMAGES),
    "InstanceNorm2d tracking": (conv(lambda: nn.InstanceNorm2d(4, track_running_stats=True)), IMAGES),
    "GroupNorm": (conv(lambda: nn.GroupNorm(2, 4)), IMAGES),
    "RMSNorm": (linear(lambda: nn.RMSNorm(4)), VECTORS),
    "LocalResponseNorm": (conv(lambda: nn.LocalResponseNorm(2)), IMAGES),
    "weight norm, old": (lambda: old(OLD.weight_norm, nn.Linear(4, 4)), VECTORS),
    "weight norm, new": (lambda: P.weight_norm(nn.Linear(4, 4)), VECTORS),
    "weight norm, new, of all": (lambda: P.weight_norm(nn.Linear(4, 4), dim=None), VECTORS),
    "weight norm, old, convolution": (lambda: old(OLD.weight_norm, nn.Conv2d(3, 4, 3)), IMAGES),
    "weight norm, new, transposed": (lambda: P.weight_norm(nn.ConvTranspose2d(3, 4, 3), dim=1), IMAGES),
    "spectral norm, old": (lambda: old(OLD.spectral_norm, nn.Linear(4, 4)), VECTORS),
    "spectral norm, new": (lambda: P.spectral_norm(nn.Linear(4, 4)), VECTORS),
    "spectral norm, new, convolution": (lambda: P.spectral_norm(nn.Conv2d(3, 4, 3)), IMAGES),
    "spectral norm, ours": (lambda: gd.gans.architectures.spectral.normalise(nn.Linear(4, 4)), VECTORS),
    "orthogonal": (lambda: P.orthogonal(nn.Linear(4, 4)), VECTORS),
    "Dropout": (linear(lambda: nn.Dropout(0.3)), VECTORS),
    "Dropout2d": (conv(lambda: nn.Dropout2d(0.3)), IMAGES),
    "AlphaDropout": (linear(lambda: nn.AlphaDropout(0.3)), VECTORS),
    "attention": (lambda: Attention(), SEQUENCES),
    "attention with weights": (lambda: Attention(weights=True), SEQUENCES),
    "attention with dropout": (lambda: Attention(dropout=0.2), SEQUENCES),
    "scaled dot product": (
        lambda: Function(lambda x, p: functional.scaled_dot_product_attention(x @ p, x, x, is_causal=True), 4, 4),
        SEQUENCES,
    ),
    "transformer layer": (lambda: nn.TransformerEncoderLayer(4, 2, 6, 0.1, "gelu", batch_first=True), SEQUENCES),
    "RNN": (lambda: First(nn.RNN(4, 3, batch_first=True)), SEQUENCES),
    "LSTM": (lambda: First(nn.LSTM(4, 3, 2, batch_first=True, bidirectional=True)), SEQUENCES),
    "GRU": (lambda: First(nn.GRU(4, 3, batch_first=True)), SEQUENCES),
    "Embedding": (lambda: Function(lambda x, p: x * functional.embedding(INDICES, p), 3, 4), VECTORS),
    "Embedding, sparse": (
        lambda: Function(lambda x, p: x * functional.embedding(INDICES, p, sparse=True), 3, 4),
        VECTORS,
    ),
    "EmbeddingBag": (
        lambda: Function(lambda x, p: x * functional.embedding_bag(INDICES.view(8, 1).repeat(1, 2), p), 3, 4),
        VECTORS,
    ),
    "distances": (lambda: Function(lambda x, p: torch.cdist(x, p), 3, 4), VECTORS),
    "MaxPool2d": (conv(lambda: nn.MaxPool2d(2)), IMAGES),
    "AvgPool2d": (conv(lambda: nn.AvgPool2d(2)), IMAGES),
    "AdaptiveAvgPool2d": (conv(lambda: nn.AdaptiveAvgPool2d(4)), IMAGES),
    "AdaptiveMaxPool2d": (conv(lambda: nn.AdaptiveMaxPool2d(4)), IMAGES),
    "LPPool2d": (conv(nn.Softplus, lambda: nn.LPPool2d(2, 2)), IMAGES),
    "nearest": (interpolated(scale_factor=2), IMAGES),
    "bilinear": (interpolated(scale_factor=2, mode="bilinear"), IMAGES),
    "bicubic": (interpolated(scale_factor=2, mode="bicubic"), IMAGES),
    "area": (interpolated(size=4, mode="area"), IMAGES),
    "grid": (
        conv(lambda: Function(lambda x, p: functional.grid_sample(
            x, functional.affine_grid(p.view(1, 2, 3).expand(len(x), 2, 3), x.shape, align_corners=False),
            align_corners=False), 6)),
        IMAGES,
    ),
    "PixelShuffle": (conv(lambda: nn.PixelShuffle(2)), IMAGES),
    "PixelUnshuffle": (conv(lambda: nn.PixelUnshuffle(2)), IMAGES),
    "ReflectionPad2d": (conv(lambda: nn.ReflectionPad2d(1)), IMAGES),
    "ConvTranspose2d": (conv(lambda: nn.ConvTranspose2d(4, 3, 4, 2, 1)), IMAGES),
    "standard deviation of the batch": (conv(BatchStdDev), IMAGES),
    "minibatch discrimination": (linear(MinibatchDiscrimination), VECTORS),
    "complex weight": (linear(ComplexLinear), VECTORS),
    "Fourier transform": (linear(Spectrum), VECTORS),
    "bilinear form": (linear(lambda: Function(lambda x, p: functional.bilinear(x, x, p), 3, 4, 4)), VECTORS),
    "tied weights": (Tied, VECTORS),
    "ModuleList": (Listed, VECTORS),
    "LSTM cell": (lambda: First(nn.LSTMCell(4, 4)), VECTORS),
    **{name: (linear(getattr(nn, name)), VECTORS)
       for name in ("PReLU", "ELU", "GELU", "Softplus", "SiLU", "LeakyReLU", "Mish", "SELU", "Hardswish", "Hardsigmoid",
                    "LogSigmoid", "GLU")},
}  # fmt: skip

PENALTIES = {"none": (), "R1": "R1(1.0)", "R2": "R2(1.0)", "WGAN-GP": "WGANGP(2.0)", "DRAGAN": "DRAGAN(2.0)",
             "0-GP": "ZeroCentered(1.0)"}  # fmt: skip


def make(layer, penalty="none", train=True, loss="nonsaturating", dtype=torch.float64):
    """The GAN with a layer in its discriminator, and in its generator where nothing changes the shape."""
    build, shape = LAYERS[layer]
    torch.manual_seed(3)
    size = torch.Size(shape).numel()
    own = build()
    body = nn.Sequential(own, nn.Tanh(), nn.Flatten())
    body.eval()
    with torch.no_grad():
        width = body(torch.randn(8, *shape)).shape[1]
    discriminator = nn.Sequential(body, nn.Linear(width, 1)).to(dtype)
    generator = [nn.Linear(3, size), nn.Unflatten(1, shape)]
    if shape != IMAGES:
        inside = build()
        with torch.no_grad():
            fits = inside.eval()(torch.randn(8, *shape)).shape == (8, *shape)
        generator += [inside] if fits else []
    generator = nn.Sequential(*generator, nn.Tanh()).to(dtype)
    points = torch.randn(64, *shape, generator=torch.Generator().manual_seed(1), dtype=dtype)
    game = gd.gans.GANGame(
        generator, discriminator, loss, PENALTIES[penalty] or None, data=points, batch_size=8, latent=3
    )
    for network in game.networks:
        network.train(train)
    return game
