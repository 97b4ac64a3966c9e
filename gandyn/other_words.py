"""What papers and other libraries call the arguments and names of this one, and where an argument belongs otherwise."""

from __future__ import annotations

from collections.abc import Collection

SQUARED = {"sigma", "std", "stddev"}  # whose square is the variance that noise is given by here
SEVERAL = {"lrg": "lr", "lrd": "lr", "lrx": "lr", "lry": "lr", "generatorlr": "lr", "discriminatorlr": "lr",
           "glr": "lr", "dlr": "lr", "beta1": "betas", "beta2": "betas", "b1": "betas", "b2": "betas"}  # fmt: skip

# For each name here, what it is called elsewhere, without case and underscores. Of several names that one word stands
# for, the first that a function has is meant.
_WORDS = {
    "decay": "alpha rho smoothing forgetting",
    "lr": "step stepsize stepsizes eta learningrate learning rate lrs alpha h dt",
    "inner_lr": "innerstep innerstepsize innerlearningrate innereta",
    "lam": "gamma lambda reg regularization weight strength coefficient coef penaltyweight lambdagp gpweight",
    "gamma": "lam lambda reg regularization weight strength coefficient coef penaltyweight lambdagp gpweight",
    "regularization": "gamma lam lambda reg weight strength damping",
    "momentum": "beta mu",
    "betas": "beta momentum",
    "weight_decay": "wd l2 decay",
    "eps": "epsilon",
    "tau": "ratio timescale",
    "target": "k goal",
    "bound": "c clip clipvalue limit",
    "variance": "sigma std stddev noise",
    "noise": "sigma std stddev variance",
    "inner": "rule optimizer optimiser base baserule method",
    "rule": "optimizer optimiser opt method update",
    "k": "innersteps steps nsteps unrollsteps unroll lookahead syncperiod syncsteps",
    "repeats": "ncritic criticsteps criticiters nd dsteps discriminatorsteps",
    "A": "matrix payoff payoffs payoffmatrix m",
    "matrix": "a m payoff payoffs coupling",
    "loss": "criterion lossfn losses ganloss objective mode",
    "losses": "loss criterion lossfn objective closure",
    "penalty": "reg regularizer regulariser regularization gradientpenalty gp",
    "penalties": "reg regularizer regulariser regularization gradientpenalty gp",
    "data": "dataset dataloader loader real x trainset trainloader samples",
    "batch_size": "batch bs size n samples minibatch",
    "batch": "batchsize bs minibatch",
    "latent": "zdim nz latentdim latentsize noisedim z",
    "generator": "g gen netg",
    "discriminator": "d disc netd critic",
    "steps": "epochs nepochs iterations nsteps numsteps iters niter maxiter maxsteps t",
    "start": "x0 w0 init initial startingpoint point w",
    "at": "point w w0 x0 x",
    "tolerance": "tol atol rtol",
    "seed": "randomstate rng randomseed",
    "folder": "out output outdir outputdir path dir logdir savedir checkpointdir",
    "schedule": "scheduler lrscheduler lrschedule",
    "average": "ema emadecay averaging",
    "stop_when": "earlystopping patience callback callbacks",
    "progress": "verbose tqdm disp progressbar",
    "log_every": "loginterval printevery logfreq every",
    "metrics_every": "evalevery evalinterval evalfreq",
    "samples_every": "sampleinterval sampleevery saveimages",
    "checkpoint_every": "saveevery saveinterval",
    "every": "interval freq frequency logevery",
    "box": "bounds domain limits ranges",
    "norm": "maxnorm clipnorm gradclip",
    # Entries of the registries.
    "SimultaneousGD": "sgd simgd simgda",
    "OptimisticGD": "ogd omd optimisticmirrordescent",
    "AlternatingGD": "altgd altgda agda",
    "HeavyBall": "momentum polyak",
    "ProximalPoint": "ppm pp",
    "TimeScale": "twotimescale ttgda taugda",
    "WGANGP": "gp gradientpenalty",
    "SpectralNormalization": "sn spectral",
    "minimax": "vanilla standard saturating original gan js jsd crossentropy",
    "nonsaturating": "ns nsgan heuristic bce bcewithlogits bcewithlogitsloss logistic softplus",
    "least_squares": "mse l2 mseloss",
    "wasserstein": "w1 emd",
}
OTHER_WORDS: dict[str, list[str]] = {}
for _name, _others in _WORDS.items():
    for _other in _others.split():
        OTHER_WORDS.setdefault(_other, []).append(_name)
for _other, _name in SEVERAL.items():
    OTHER_WORDS.setdefault(_other, []).append(_name)

# Where an argument belongs that a rule, or a training run, does not have.
OF_RULES = {
    **dict.fromkeys(("tau", "ratio", "timescale"), "gd.rules.TimeScale(rule, tau=4.0)"),
    **dict.fromkeys(("repeats", "ncritic", "criticsteps", "dsteps"), "gd.rules.Alternating(rule, repeats=(1, 5))"),
    **dict.fromkeys(("clip", "clipnorm", "maxnorm", "gradclip"), "gd.rules.Clipped(rule, norm=1.0)"),
    **dict.fromkeys(("weightdecay", "wd", "l2"), "gd.rules.AdamW(lr, weight_decay=0.01), or gd.penalties.WeightDecay"),
    **dict.fromkeys(("momentum", "beta", "mu"), "gd.rules.HeavyBall(lr, momentum)"),
    **dict.fromkeys(("betas", "beta1", "beta2", "eps", "epsilon"), "gd.rules.Adam(lr, betas, eps)"),
    **dict.fromkeys(("schedule", "scheduler"), "gd.rules.Scheduled(rule, schedule)"),
    "seed": "gd.iterate(..., rng=0), or gd.gans.train(..., seed=0)",
}
OF_RUNS = {
    **dict.fromkeys(("lr", "learningrate", "step", "stepsize", "eta"), "the rule has it: gd.rules.GDA(lr=0.1)"),
    **dict.fromkeys(
        ("batchsize", "batch", "bs", "latent", "device", "penalty", "penalties", "loss", "data"),
        "the game has it: gd.gans.GANGame(...)",
    ),
}


def belongs(word: str, known: Collection[str]) -> str:
    """Where an argument belongs that a function with those known does not have; "" where nothing is known of it."""
    if "lr" in known or "inner" in known:
        return OF_RULES.get(bare(word), "")
    return OF_RUNS.get(bare(word), "") if "game" in known and "rule" in known else ""


def renamed(word: str, near: str, known: Collection[str]) -> str:
    """How to write under the name here what was given as `word`, where that changes more than the name."""
    if bare(word) in SEVERAL:
        return f"{near}=(..., ...), for both at once, in place of {word}"
    if bare(word) in SQUARED and near in ("noise", "variance"):
        return f"{near}={word}**2 in place of {word}"
    weight = near in ("gamma", "lam") and not {"lr", "inner"} & set(known)
    return f"{near}=... in place of {word}" + (
        "; its formula says whether a factor 1/2 stands before it" if weight else ""
    )


def bare(word: str) -> str:
    """A word without case, hyphens and underscores."""
    return word.casefold().replace("_", "").replace("-", "")
