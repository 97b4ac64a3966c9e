# ruff: noqa: E501
# fmt: off
"""Wrong command lines as a table. Each ends with exit status 2 and a message, never in a traceback."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

RULES = [
    "gda(", "GDA()", "GDA(0.1", "GDA(0.1))", "GDA(0.1)(0.2)", "GDA(-0.1)", "GDA(0)", "GDA(1/0)", "GDA(nan)", "GDA(lr=0.1, lr=0.2)", "GDA(rate=0.1)", "GDA(a b)", "GDA(sqrt(-2))", "GDA(-1/3)", "GDA(1e400)",
    "GDA(9**9**9)", "GDA(none)", "GDA(true)", "GDA(R1(1))", "a.b(1)", "gdaa", "NoRule(0.1)", "", " ", "0.1", "1/3", "HeavyBall(0.1)", "heavy-ball(0.1, x y)", "HeavyBall(0.1, 0.5, alternating=maybe)", "Alternating(GDA)",
    "Lookahead(GDA(0.1), k=0)", "Lookahead(GDA(0.1), k=10**9)", "Adam(0.1, betas=3)", "__import__('os').system('true')", "GDA(lambda: 1)", "GDA[0.1]", "GDA(0.1);ls", "GDA(0.1, 0.2)", "$(ls)", "GDA((0.1, 0.2, 0.3))", "GDA({z: 0.1})",
]
SETS = [
    "lr", "lr=", "=0.1", "lr=a b", "lr=(", "lr=1/0", "lr=1e400", "lr=2**999", "lr='a'", "lr=x.y", "lr=-0.1", "lr=0", "lr=nan", "lr=inf", "lr=none", "lr=true", "lr=0.1,0.2,0.3", "lr=R1(1)", "lr=GDA(0.1)", "rate=0.1",
    "no_such=1", "lr=exp(1000)", "lr=log(0)", "lr=sqrt", "lr=[1", "lr={x", "lr=my-lr", "l r=0.1", "lr==0.1", "lr=0x10", "lr=1..2", "lr=--", "lr=`ls`", "lr=;", "lr=\\", "lr=1 2", "lr=lambda: 1", "lr=f(", "lr=()",
]
ATS = ["1", "1,2,3", "nan,0", "inf,0", "a,b", "", ",", "(1,0", "1;0", "1 0", "true,0", "none,0", "1e400,0", "1/0,0", "x.y,0", "R1(1),0", "[1],0", "1,0,"]
GAMES = ["no_such", "", " ", "bilinear(", "bilinear()()", "../x", "1", "os.system", "dirac_gann", "--", "None"]
OPTIONS = ["--no-such", "--rule", "--set", "--at", "--json=maybe", "--at 1,0 --at", "-x", "--rule GDA", "--rule GDA --set lr=0.1 --set lr=0.2", "--rule GDA --rule", "extra words here"]


def lines() -> Iterator[list[str]]:
    """Every line, in words, without the program's name."""
    yield from (["no-such-command"], ["--no-such"], ["analyze"], ["list", "gamse"], ["list", ""], ["list", "games", "rules", "x"], ["figure"], ["figure", "no_such"], ["figure", "--style"], ["claims", "no_such"], ["train", "no_such"], ["spectrum"])
    yield from (["analyze", game] for game in GAMES)
    yield from (["analyze", "bilinear", *words.split()] for words in OPTIONS)
    yield from (["analyze", "bilinear", "--rule", rule] for rule in RULES)
    yield from (["analyze", "bilinear", "--rule", "GDA", "--set", text] for text in SETS)
    yield from (["analyze", "bilinear", "--rule", "GDA(0.1)", "--at", at] for at in ATS if at not in ("1,0,",))
    yield from (["analyze", "dirac_gan", "--set", f"penalty={p}"] for p in ("R9(1)", "R1(", "R1(nan)", "R1(1)(2)", "R1(1, 2)", "WGANGP(1, one_sided=maybe)", "3", "true", "zero-centered(", "GDA(0.1)", "R1(x y)", "none(1)"))
    yield from (["analyze", "dirac_gan", "--set", f"loss={p}"] for p in ("no_such", "hinge(", "hinge(1)", "3", "true", "none", "hinge(1)(2)", "label_smoothing(no_such)", "R1(1)"))
    yield from (["analyze", game, "--set", f"{name}=x y"] for game, name in (("quadratic", "a"), ("bilinear", "matrix"), ("almost_bilinear", "eps")))
    for option, values in (("--lr", ("0", "-1", "nan", "x y", "1/0", "", "1e400", "(")), ("--steps", ("0", "-1", "1.5", "many", "", "1e30", "nan")), ("--start", ("1", "1,2,3", "nan,0", "a,b", "", "x y", "(1")),
                           ("--game", ("no_such", "", "bilinear(", "prisoners_dilemma")), ("--rule", ("no_such", "", "GDA(", "GDA(0.1)(0.2)")), ("--out", ("", "/no/such/folder/x.png", "x.no_such")), ("--set", ("x", "=1", "gamma"))):
        yield from (["spiral", option, value] for value in values)
    for command, words in itertools.product(("train",), ("no_such.toml", "../x.toml", "/no/such/file.toml", "ring-wgangp", "", "a b", ".", "--out", "x --no-such", "ring-adam --set", "ring-adam --set steps=-1", "ring-adam --set no_such=1")):
        yield [command, *words.split(" ")]
    for words in ("no_such", "/no/such/run", ".", "", "x --k 0", "x --which ZZ", "x --no-such"):
        yield ["spectrum", *words.split(" ")]
