"""Networks, latents and data that do not fit each other: refused at construction, by all the shapes, with the fix."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import gandyn as gd
from gandyn.errors import CallError, GameError, ParameterError, ShapeError, UnknownNameError


def mlp(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 8), nn.ReLU(), nn.Linear(8, outputs))


def gan(generator=None, discriminator=None, loss="nonsaturating", **options):
    return gd.gans.GANGame(
        generator or mlp(2, 2), discriminator or mlp(2, 1), loss, **{"data": "ring", "batch_size": 16} | options
    )


class Answers(nn.Module):
    """A discriminator that answers with what a function makes of its logits."""

    def __init__(self, answer, inputs=2, outputs=1):
        super().__init__()
        self.layer, self.answer = nn.Linear(inputs, outputs), answer

    def forward(self, x):
        return self.answer(self.layer(x))


def pictures(n=50):
    return torch.randn(n, 1, 4, 4, generator=torch.Generator().manual_seed(0))


def classes(labels):
    """Data with these labels, for a discriminator of two classes."""
    return {
        "discriminator": Answers(lambda x: (x[:, :1], x[:, 1:]), outputs=3), "loss": "auxiliary_classifier",
        "data": lambda n, source: (torch.randn(n, 2, generator=source), labels(n)),
    }  # fmt: skip


deconvolution = nn.Sequential(nn.ConvTranspose2d(5, 1, 4), nn.Tanh())
# what is given, the error, words of the message, the fix
MISFITS = {
    "data wider than samples": (
        {"data": torch.randn(50, 3)}, ShapeError, ["(16, 2)", "(16, 3)", "first layer is Linear(in_features=2"],
        "end the generator in a layer with 3 outputs, and begin the discriminator in one with 3 inputs"),
    "samples wider than data": (
        {"generator": mlp(2, 3)}, ShapeError, ["(16, 3)", "(16, 2)"], "end the generator in a layer with 2 outputs"),
    "a function of wider points": (
        {"data": lambda n, source: torch.randn(n, 3, generator=source)}, ShapeError, ["(16, 3)"], "end the generator"),
    "a wider discriminator": (
        {"discriminator": mlp(3, 1)}, ShapeError, ["data of shape (16, 2)", "16x2 and 3x8", "in_features=3"],
        "begin it in a layer with 2 inputs"),
    "swapped networks": (
        {"generator": mlp(2, 1), "discriminator": mlp(2, 2)}, ShapeError, ["(16, 1)"], "swap the networks"),
    "latents of another size": ({"latent": 5}, ShapeError, ["(16, 5)", "in_features=2"], "latent=2"),
    "too few latents": (
        {"latent": lambda n, source: torch.randn(3, 2)}, ShapeError, ["(3, 2)", "16"], "use the first argument"),
    "flat latents for planes": (
        {"generator": deconvolution, "discriminator": nn.Sequential(nn.Flatten(), nn.Linear(16, 1)),
         "data": pictures(), "latent": 5}, ShapeError, ["(16, 5)"], "latent=lambda n, source: torch.randn(n, 5, 1, 1"),
    "no latents for planes": (
        {"generator": deconvolution, "data": pictures()}, ParameterError, ["no latent size"],
        "latent=lambda n, source: torch.randn(n, 5, 1, 1"),
    "pictures for an MLP": (
        {"generator": mlp(2, 16), "discriminator": mlp(16, 1), "data": pictures()}, ShapeError, ["(16, 1, 4, 4)"],
        "begin it with torch.nn.Flatten()"),
    "points for pictures": (
        {"data": pictures()}, ShapeError, ["(16, 2)", "(16, 1, 4, 4)"],
        "end the generator in a layer with 16 outputs and torch.nn.Unflatten(1, (1, 4, 4))"),
    "another number of channels": (
        {"generator": deconvolution, "discriminator": nn.Sequential(nn.Conv2d(3, 1, 4), nn.Flatten()),
         "latent": lambda n, source: torch.randn(n, 5, 1, 1, generator=source), "data": pictures()},
        ShapeError, ["(16, 1, 4, 4)"], "begin it in a layer with 1 channels"),
    "several outputs": (
        {"discriminator": mlp(2, 10)}, ShapeError, ["(16, 10)", "(16,) or (16, 1)"], "end it in a layer with one"),
    "no answer": ({"discriminator": Answers(lambda x: None)}, GameError, ["NoneType"], "return the output"),
    "an error of its own": (
        {"discriminator": Answers(lambda x: x.nosuch)}, GameError, ["AttributeError", "nosuch"], "try discriminator("),
    "labels missing": ({"loss": "auxiliary_classifier"} | {"data": torch.randn(50, 2)}, ParameterError, ["labels"],
                       "gd.gans.Points("),
    "too few labels": (classes(lambda n: torch.zeros(n - 1, dtype=torch.long)), ShapeError, ["(15,)", "16"], "one l"),
    "labels beyond the classes": (
        classes(lambda n: torch.full((n,), 2)), ShapeError, ["from 2 to 2", "from 0 to 1"], "one label for each"),
    "labels with a point": (classes(torch.zeros), ParameterError, ["float32", "whole numbers"], "labels.long()"),
    "labels that are no tensor": (classes(lambda n: [0] * n), ParameterError, ["a list"], "torch.as_tensor"),
    "NaN": ({"data": torch.full((5, 2), float("nan"))}, ParameterError, ["not finite"], "leave those points out"),
    "complex numbers": ({"data": torch.randn(5, 2).cfloat()}, ParameterError, ["complex64"], "torch.view_as_real"),
    "no values": ({"data": torch.randn(5, 2, device="meta")}, ParameterError, ["meta"], "torch.view_as_real"),
    "one axis": ({"data": torch.randn(5)}, ShapeError, ["(5,)", "(N, ...)"], "points[:, None]"),
    "no axis": ({"data": torch.tensor(1.0)}, ShapeError, ["()"], "points[None, None]"),
    "lists": ({"data": [[1.0, 2.0]]}, ParameterError, ["[[1.0, 2.0]]"], "data=torch.tensor(data)"),
    "points and labels": ({"data": (torch.randn(5, 2), torch.zeros(5))}, ParameterError, ["a sampler"],
                          'data=gd.gans.Points("mine", points, labels)'),
    "a function of n alone": (
        {"data": lambda n: torch.randn(n, 2)}, ParameterError, ["too many positional"], "lambda n, source"),
    "latents of nothing": ({"latent": lambda: torch.randn(3)}, ParameterError, ["latents", "too many"], "lambda n, s"),
    "data not called": ({"data": gd.gans.ring}, ParameterError, ["the function ring"], "call it: ring()"),
    "the class of data": ({"data": gd.gans.Points}, ParameterError, ["the class Points"], "give it its parameters"),
    "the class of a penalty": (
        {"penalties": gd.penalties.R1}, ParameterError, ["the class R1"], "give it its parameters: R1(0.1)"),
    "the class in a list": (
        {"penalties": [gd.penalties.R2]}, ParameterError, ["the class R2"], "give it its parameters: R2(0.1)"),
    "the class of a loss": ({"loss": gd.losses.hinge}, ParameterError, ["the class Hinge"], "call it: Hinge()"),
    "a loss of torch": (
        {"loss": nn.BCEWithLogitsLoss()}, ParameterError, ["BCEWithLogitsLoss()"], "loss='nonsaturating'"),
    "a loss with its penalty": (
        {"loss": "wgan-gp"}, ParameterError, ["a loss and a penalty"], 'loss="wasserstein", penalties="WGANGP(20)"'),
    "a loss by another name": ({"loss": "vanilla"}, UnknownNameError, ["did you mean 'minimax'"], "minimax"),
    "penalty": ({"penalty": "R1(1)"}, CallError, ["did you mean penalties?"], "penalties=... in place of penalty"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISFITS)
def test_what_does_not_fit(name):
    options, kind, words, fix = MISFITS[name]
    with pytest.raises(kind) as caught:
        gan(**options)
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert caught.value.fix.startswith(fix), message
    assert "\n" not in message
    assert len(message) < 600


def test_what_fits_is_moved_to_the_networks():
    """Other precisions, whole numbers, batches larger than the data; bytes are pictures, as they are from NumPy."""
    for data in (torch.randn(5, 2).double(), torch.randint(0, 9, (5, 2)), torch.ones(5, 2, dtype=torch.bool)):
        game = gan(data=data)
        assert game.reference.real.dtype == torch.float32
        assert game.reference.real.shape == (16, 2)
        assert torch.isin(game.reference.real, data.float()).all()
    doubles = gan(data=lambda n, source: torch.randn(n, 2, generator=source, dtype=torch.float64))
    assert doubles.reference.real.dtype == torch.float32
    data = torch.tensor([[0, 255], [51, 204]], dtype=torch.uint8)
    for given in (data, data.numpy()):
        assert sorted(set(np.round(gan(data=given).reference.real.flatten().tolist(), 6))) == [-1, -0.6, 0.6, 1]


def test_a_flat_generator_may_play_before_a_discriminator_that_flattens():
    game = gan(mlp(2, 16), nn.Sequential(nn.Flatten(), nn.Linear(16, 1)), data=pictures())
    assert game.costs(game.w0)[0].isfinite()


def test_looking_leaves_the_random_stream_alone():
    pair = mlp(2, 2), nn.Sequential(nn.Dropout(), nn.Linear(2, 1))
    before = torch.get_rng_state()
    gan(*pair)
    assert torch.equal(torch.get_rng_state(), before)


TENSORS = {"data": torch.randn(50, 2, generator=torch.Generator().manual_seed(0))}


@pytest.mark.parametrize(
    ("options", "given"),
    [
        ({"metrics_every": 10}, "metrics_every=10 of GAN of data, of whose data none are known"),
        ({"metrics_every": 10, "seeds": 2}, "metrics_every=10"),
        ({"stop_when": gd.gans.EarlyStopping()}, "an EarlyStopping of GAN of data"),
        ({"samples_every": 5}, "samples_every=5 and no folder"),
        ({"metrics": gd.gans.gap_metrics}, "metrics=the function gap_metrics"),
        ({"monitor": gd.gans.Monitor}, "monitor=the class Monitor"),
        ({"stop_when": gd.gans.EarlyStopping}, "stop_when=the class EarlyStopping"),
        ({"schedule": gd.rules.schedule.Cosine}, "schedule=the class Cosine"),
    ],
)
def test_an_option_that_would_do_nothing(options, given):
    with pytest.raises(ParameterError) as caught:
        gd.gans.train(gan(**TENSORS), gd.rules.GDA(0.05), 5, **options)
    assert str(caught.value).startswith(given)
    assert caught.value.fix


def test_without_being_asked_nothing_is_measured_and_nothing_said():
    assert gd.gans.train(gan(**TENSORS), gd.rules.GDA(0.05), 2).metrics == {}
    run = gd.gans.train(gan(**TENSORS), gd.rules.GDA(0.05), 2, metrics_every=1, metrics=lambda game, w, rng: {"x": 1.0})
    assert run.metrics == {"x": 1.0}
