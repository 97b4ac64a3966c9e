"""A loop that is converted with slips in it: the drop-in, the watch and training answer in one line, with the way."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

import gandyn as gd

R = gd.rules


def modules():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2)), nn.Linear(2, 1)


def losses(g, d):
    on_fake, on_real = d(g(torch.randn(8, 2))), d(1 + torch.randn(8, 2))
    return softplus(-on_fake).mean(), softplus(on_fake).mean() + softplus(-on_real).mean()


def step(own, **options):
    return gd.optim.for_modules(*modules(), R.Extragradient(0.01)).step(own, **options)


def gan():
    return gd.gans.GANGame(*modules(), data="ring", batch_size=8)


def adam():
    return torch.optim.Adam(modules()[0].parameters())


# what is done, words of the answer
SLIPS = {
    "lr to the drop-in": (lambda: gd.optim.for_modules(*modules(), lr=0.1), "for_modules: got an unexpected keyword"),
    "rules": (lambda: gd.optim.for_modules(*modules(), rules=R.GDA(0.1)), "rules: did you mean rule?"),
    "parameters": (lambda: gd.optim.for_modules(*(m.parameters() for m in modules()), R.GDA(0.1)), "two modules and a"),
    "torch's optimiser": (
        lambda: gd.optim.for_modules(*modules(), adam()),
        "gd.rules.Alternating(gd.rules.Adam(1e-3))"),
    "torch's class": (
        lambda: gd.optim.for_modules(*modules(), torch.optim.Adam), "gd.rules.Alternating(gd.rules.Adam(1e-3))"),
    "no rule": (lambda: gd.optim.for_modules(*modules()), "gd.rules.Extragradient(1e-3)"),
    "a dict": (
        lambda: step(lambda g, d: dict(zip("gd", losses(g, d), strict=True))),
        "losses that return str, str, the keys of a dict"),
    "one loss": (lambda: step(lambda g, d: losses(g, d)[0]), "losses that return () alone. Needed: a loss for each"),
    "numbers": (lambda: step(lambda g, d: tuple(x.item() for x in losses(g, d))), "float, float.*without .item()"),
    "not reduced": (lambda: step(lambda g, d: (d(g(torch.randn(8, 2))),) * 2), "(8, 1).*each by .mean()"),
    "four arguments": (lambda: step(lambda g, d, x, y: None), "losses that take 4 arguments, for 2 networks"),
    "data without a place": (lambda: step(losses, data=[1]), "no place for.*losses(generator, discriminator, item)"),
    "a flag for a scaler": (lambda: step(losses, scaler=True), "scaler=True. Needed: a GradScaler"),
    "interval": (lambda: gd.watch(*modules(), losses, interval=5), "no argument interval: did you mean every?"),
    "optimizer": (lambda: gd.watch(*modules(), losses, optimizer=adam()), "no argument optimizer: did you mean rule?"),
    "losses first": (lambda: gd.watch(losses, *modules()), "gd.watch(generator, discriminator, lo"),
    "one optimiser": (lambda: gd.watch(*modules(), losses, rule=adam()), "rule=(generator_optimizer, discriminator_"),
    "a report nowhere": (lambda: gd.watch(*modules(), losses).report("/no/such/page.html"), "cannot write /no/such/p"),
    "modules to train": (lambda: gd.gans.train(modules()[0], R.GDA(0.1), 1), "gd.gans.GANGame(generator"),
    "torch's optimiser to train": (
        lambda: gd.gans.train(gan(), adam(), 1),
        "gd.rules.Alternating(gd.rules.Adam(1e-3))"),
    "a toy to train": (
        lambda: gd.gans.train("bilinear", R.GDA(0.1), 1),
        "train of bilinear. Needed: a game of networks"),
    "seeds of a toy": (lambda: gd.gans.train("bilinear", R.GDA(0.1), 1, seeds=2), "train of bilinear"),
    "a point of networks": (lambda: gd.linearize(gan(), R.GDA(0.1)), "at=run.w of a training, or at=game.w0"),
    "a region of networks": (
        lambda: gd.stability_region(gan(), R.GDA("lr")),
        "bisect on gd.linearize(game"),
    "a region in torch": (
        lambda: gd.stability_region(gd.games.from_torch(lambda x, y: (x * y).sum(-1), {"x": 1, "y": 1}), R.GDA("lr")),
        "which has no expressions.*a game of from_sympy"),
}  # fmt: skip


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_answered(name):
    slip, said = SLIPS[name]
    with pytest.raises(gd.GandynError) as caught:
        slip()
    message = str(caught.value)
    for part in said.split(".*"):
        assert part in message, message
    assert "\n" not in message
    assert len(message) < 500


def test_an_error_of_the_losses_own_says_how_they_are_called():
    with pytest.raises(RuntimeError, match="mat1 and mat2") as caught:
        step(lambda d, g: losses(g, d))
    assert caught.value.__notes__ == [
        "raised in the losses, which are called with (generator, discriminator) in this order"
    ]
    with pytest.raises(TypeError) as caught:
        step(lambda g, d, real: (d(real).mean(),) * 2)
    assert "discriminator, number of the batch) in this order" in caught.value.__notes__[0]


def test_a_rule_may_be_a_text():
    by_text, by_rule = (gd.optim.for_modules(*modules(), rule) for rule in ("Adam(0.01)", R.Adam(0.01)))
    assert by_text.rule == by_rule.rule
    assert gd.optim.for_modules(dict(zip("gd", modules(), strict=True)), "Adam(0.01)").rule == R.Adam(0.01)


def test_a_loader_that_is_given_at_every_step_goes_on():
    """A list or loader is not begun anew at each step, where its first item would be all that is ever seen."""
    seen = []

    def own(g, d, item):
        seen.append(item)
        return losses(g, d)

    optimizer, items = gd.optim.for_modules(*modules(), R.GDA(0.01)), [0, 1, 2]
    for _ in range(3):
        optimizer.step(own, data=items)
    assert seen == [0, 1, 2]
    with pytest.raises(gd.GandynError, match=r"data that end.*itertools\.cycle"):
        optimizer.step(own, data=items)
    optimizer.step(own, data=[7, 8])
    assert seen == [0, 1, 2, 7]
