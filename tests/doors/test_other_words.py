"""Slips of the pen and words of other libraries: the name that is meant comes first in the answer."""

from __future__ import annotations

import inspect

import pytest

import gandyn as gd
from gandyn.errors import CallError, nearest
from gandyn.gans.training.options import Saving, Stepping, Watching
from gandyn.registry import Registry

OPTIONS = [f for group in (Stepping, Watching, Saving) for f in group.__dataclass_fields__]


def arguments(function):
    return list(inspect.signature(function).parameters)


def names(registry: Registry):
    return [name for entry in registry for name in (entry.name, *entry.aliases)]


# what is typed, among what, what is meant
TYPOS = [
    ("metrics_evry", OPTIONS, "metrics_every"),
    ("metric", OPTIONS, "metrics"),
    ("metrics_ever", OPTIONS, "metrics_every"),
    ("metricsevery", OPTIONS, "metrics_every"),
    ("log_evry", OPTIONS, "log_every"),
    ("logevery", OPTIONS, "log_every"),
    ("chekpoint_every", OPTIONS, "checkpoint_every"),
    ("sample_every", OPTIONS, "samples_every"),
    ("seeed", OPTIONS, "seed"),
    ("sheduel", OPTIONS, "schedule"),
    ("percision", OPTIONS, "precision"),
    ("folde", OPTIONS, "folder"),
    ("resmue", OPTIONS, "resume"),
    ("progess", OPTIONS, "progress"),
    ("stopwhen", OPTIONS, "stop_when"),
    ("avrage", OPTIONS, "average"),
    ("momentm", ["lr", "momentum", "alternating"], "momentum"),
    ("alternatin", ["lr", "momentum", "alternating"], "alternating"),
    ("lrr", ["lr"], "lr"),
    ("beta", ["lr", "betas", "eps"], "betas"),
    ("batch_siz", arguments(gd.gans.GANGame), "batch_size"),
    ("discriminater", arguments(gd.gans.GANGame), "discriminator"),
    ("generater", arguments(gd.gans.GANGame), "generator"),
    ("penalty", arguments(gd.gans.GANGame), "penalties"),
    ("latents", arguments(gd.gans.GANGame), "latent"),
    ("recrod", arguments(gd.iterate), "record"),
    ("strat", arguments(gd.iterate), "start"),
    ("kernal", arguments(gd.iterate), "kernel"),
    ("budgt", arguments(gd.linearize), "budget"),
    ("parameter", arguments(gd.stability_region), "parameters"),
    ("evry", arguments(gd.watch), "every"),
    ("loses", arguments(gd.watch), "losses"),
    ("Extragradiant", names(gd.rules.registry), "Extragradient"),
    ("Optimistic_GD", names(gd.rules.registry), "OptimisticGD"),
    ("Alternate", names(gd.rules.registry), "Alternating"),
    ("concensus", names(gd.rules.registry), "Consensus"),
    ("non_saturating", names(gd.losses.registry), "nonsaturating"),
    ("minmax", names(gd.losses.registry), "minimax"),
    ("WGAMGP", names(gd.penalties.registry), "WGANGP"),
    ("bilinaer", names(gd.games.registry), "bilinear"),
    ("stabilty_region", gd.__all__, "stability_region"),
    ("linearise", gd.__all__, "linearize"),
]
# what it is called elsewhere
WORDS = [
    ("step", ["lr"], "lr"),
    ("step_size", ["lr", "order", "repeats"], "lr"),
    ("eta", ["lr"], "lr"),
    ("learning_rate", ["lr", "betas", "eps"], "lr"),
    ("alpha", ["lr", "decay", "eps"], "decay"),
    ("alpha", ["lr"], "lr"),
    ("step", ["game", "rule", "steps"], "steps"),
    ("epsilon", ["lr", "betas", "eps"], "eps"),
    ("lam", ["gamma"], "gamma"),
    ("gamma", ["lr", "lam", "align"], "lam"),
    ("beta", ["lr", "momentum"], "momentum"),
    ("epochs", ["game", "rule", "steps"], "steps"),
    ("x0", arguments(gd.iterate), "start"),
    ("x0", arguments(gd.linearize), "at"),
    ("n_critic", ["inner", "order", "repeats"], "repeats"),
    ("optimizer", arguments(gd.watch), "rule"),
    ("z_dim", arguments(gd.gans.GANGame), "latent"),
    ("SGD", names(gd.rules.registry), "SimultaneousGD"),
    ("vanilla", names(gd.losses.registry), "minimax"),
    ("mse", names(gd.losses.registry), "least_squares"),
    ("gradient_penalty", names(gd.penalties.registry), "WGANGP"),
    ("something", ["lr"], ""),
]


@pytest.mark.parametrize(("typed", "known", "meant"), [*TYPOS, *WORDS])
def test_the_name_that_is_meant(typed, known, meant):
    assert nearest(typed, known) == meant


@pytest.mark.parametrize(
    ("call", "said", "fix"),
    [
        (lambda: gd.rules.GDA(step=0.1), "SimultaneousGD has no argument step: did you mean lr?", "lr=... in place of"),
        (lambda: gd.rules.Adam(0.1, beta1=0.5), "beta1: did you mean betas?", "betas=(..., ...), for both at once"),
        (lambda: gd.rules.GDA(0.1, tau=4), "'tau'", "gd.rules.TimeScale(rule, tau=4.0)"),
        (lambda: gd.rules.GDA(), "missing a required argument: 'lr'", "SimultaneousGD(lr=...)"),
        (lambda: gd.rules.GDA(0.1, foo=1), "'foo'", "leave out those that it does not have"),
        (
            lambda: gd.penalties.R1(lambda_=1),
            "R1 has no argument lambda_: did you mean gamma?",
            "gamma=... in place of lambda_; its formula",
        ),
        (lambda: gd.penalties.InstanceNoise(std=0.1), "std: did you mean variance?", "variance=std**2 in place of std"),
        (lambda: gd.games.bilinear(A=[[1]]), "bilinear has no argument A: did you mean matrix?", "matrix=..."),
        (lambda: gd.games.dirac_gan(reg="R1(1)"), "reg: did you mean penalty?", "penalty=..."),
        (lambda: gd.losses.label_smoothing(criterion="minimax"), "criterion: did you mean loss?", "loss=..."),
        (lambda: gd.iterate("bilinear", "GDA(0.1)", x0=[1, 0]), "x0: did you mean start?", "start=..."),
        (lambda: gd.gans.train("bilinear", "GDA(0.1)", epochs=3), "epochs: did you mean steps?", "steps=..."),
        (lambda: gd.gans.train("bilinear", "GDA(0.1)", 3, metrics_evry=1), "mean metrics_every?", "metrics_every=..."),
        (lambda: gd.gans.train("bilinear", "GDA(0.1)", 3, lr=0.1), "'lr'", "the rule has it: gd.rules.GDA(lr=0.1)"),
        (lambda: gd.gans.train("bilinear", "GDA(0.1)", 3, batch_size=8), "'batch_size'", "the game has it"),
    ],
)
def test_an_argument_that_is_not_there(call, said, fix):
    with pytest.raises(CallError) as caught:
        call()
    assert said in str(caught.value)
    assert caught.value.fix.startswith(fix)


def test_a_call_in_text_is_answered_likewise():
    with pytest.raises(gd.GandynError, match=r"GDA has no argument step: did you mean lr\?.*lr=\.\.\. in"):
        gd.linearize("bilinear", "GDA(step=0.1)")
