"""What the docs say of losses and penalties, asked of the objects: costs per logit, optimum, divergence, shapes."""

from __future__ import annotations

import contextlib
from typing import Any

import describe_papers
import markdown
import numpy as np
import pictures
import sympy
from docstrings import summary

import gandyn as gd
from gandyn.errors import GandynError

S = sympy.Symbol("s", real=True)
P, Q = sympy.symbols("p q", positive=True)
LINKS = {"real": "discriminator, real", "fake": "discriminator, fake", "generator": "generator"}
SHAPES = ("minimax", "nonsaturating", "maximum_likelihood")


def _example(entry: Any) -> Any:
    return entry.build(**entry.examples[0])


def table() -> list[str]:
    """All losses at a glance."""
    rows = []
    for entry in gd.losses.registry:
        loss = _example(entry)
        kind = "zero-sum" if loss.zero_sum else "general-sum"
        acts = "each logit" if loss.separable else "pairs or batches"
        rows.append([f"[`{entry.name}`](#loss-{entry.name.replace('_', '-')})", summary(entry.build), kind, acts])
    return markdown.table(["loss", "what it is", "game", "acts on"], rows)


def losses() -> list[str]:
    """Every loss: docstring, costs of one logit, optimal logit and what it measures."""
    lines = []
    for entry in gd.losses.registry:
        loss = _example(entry)
        lines += [f"(loss-{entry.name.replace('_', '-')})=", f"### {entry.name}", ""]
        lines += markdown.described("function", f"gandyn.losses.{entry.name}", entry.build)
        lines += _papers(entry)
        lines += _links(loss) if loss.separable else []
        lines += _optimum(loss)
    return lines


def _papers(entry: Any) -> list[str]:
    found = describe_papers.linked(entry.name)
    return [f"Papers: {found}.", ""] if found else []


def _links(loss: Any) -> list[str]:
    rows = []
    for link, words in LINKS.items():
        cost = getattr(loss, link)(S)
        slope = loss.d_logit(link, S)
        rows.append([words, f"${_latex(cost)}$", f"${_latex(slope)}$"])
    return markdown.table(["cost of one point", "with logit $s$", "its derivative against $s$"], rows)


def _latex(e: Any) -> str:
    return sympy.latex(sympy.simplify(e) if sympy.sympify(e).is_polynomial() else e)


def _optimum(loss: Any) -> list[str]:
    """The optimal logit for densities p and q, and the divergence that is then measured, where they are known."""
    lines = []
    with contextlib.suppress(GandynError, TypeError):
        best = _latex(loss.optimal_logit(P, Q))
        lines += [f"Against densities $p$ of the data and $q$ of the samples, the best logit is $s^* = {best}$.", ""]
    with contextlib.suppress(GandynError):
        lines += [f"At it, minus the discriminator's cost measures {_measured(loss.divergence())}.", ""]
    return lines


def _measured(measured: Any) -> str:
    scale, offset = sympy.nsimplify(measured.scale), sympy.nsimplify(measured.offset)
    terms = "D" if scale == 1 else f"{sympy.latex(scale)}\\, D"
    terms += "" if offset == 0 else f" + {sympy.latex(offset)}".replace("+ -", "- ")
    return f"${terms}$ with $D$ = {measured.divergence.name}"


def shapes() -> list[str]:
    """The generator's slope against D and against the logit: why minimax saturates."""
    path = pictures.keep("generator-slopes", draw_shapes)
    caption = (
        "The generator's cost of one sample: its derivative against $D = \\sigma(s)$ (left) and against the logit $s$ "
        "(right). On the left of each panel the discriminator has recognised the sample as fake. Against the logit the "
        "minimax slope vanishes there, the non-saturating slope tends to $-1$, and the maximum-likelihood slope "
        "vanishes too, and is dominated by the few samples that look most real."
    )
    return markdown.figure(path, "slopes of three generator costs", caption)


def draw_shapes() -> Any:
    """Two panels, one line a loss."""
    from gandyn.plots.drawing import Drawing
    from gandyn.plots.style import QUIET, series_styles

    names = [name for name in SHAPES if name in gd.losses.registry.entries]
    with gd.plots.house_style("double"):
        figure = Drawing(height=0.42)
        against_d, against_s = figure.subplots(1, 2)
        styles = series_styles(names, [False] * len(names))
        d, s = np.linspace(0.02, 0.98, 193), np.linspace(-6.0, 6.0, 241)
        for name in names:
            loss = gd.losses.registry[name].build()
            style = {"color": styles[name].colour, "linewidth": styles[name].width + 0.4}
            against_d.plot(d, loss.d_probability("generator", d), label=name.replace("_", " "), **style)
            against_s.plot(s, loss.d_logit("generator", s), **style)
        against_d.set(xlabel="$D$", ylabel="slope against $D$", ylim=(-8, 0.4), xlim=(0, 1))
        against_s.set(xlabel="logit $s$", ylabel="slope against $s$", ylim=(-3, 0.15), xlim=(-6, 6))
        for axes in (against_d, against_s):
            axes.axhline(0.0, color=QUIET, linewidth=0.6)
        figure.legend(loc="outside lower center", ncols=3)
    return figure


def penalties() -> list[str]:
    """Every penalty: docstring, and what it makes of the Dirac-GAN."""
    lines = []
    for entry in gd.penalties.registry:
        lines += [f"### {entry.name}", ""]
        lines += markdown.described("class", f"gandyn.penalties.{entry.name}", entry.build)
        lines += _papers(entry)
        lines += _dirac(entry)
    return lines


def _dirac(entry: Any) -> list[str]:
    """The Dirac-GAN with the penalty: the discriminator's cost, and what the flow does at the equilibrium."""
    code = markdown.call(f"gd.penalties.{entry.name}", entry.examples[0])
    lines = []
    with contextlib.suppress(GandynError, TypeError, AttributeError):
        game = gd.games.dirac_gan(loss="wasserstein", penalty=_example(entry))
        cost = sympy.latex(sympy.simplify(game.exprs[1]))
        lines += [f"On the Wasserstein Dirac-GAN, `{code}` makes the discriminator's cost", ""]
        lines += markdown.display(f"f_2(\\theta, \\phi) = {cost}.")
    with contextlib.suppress(GandynError, TypeError, AttributeError):
        lin = gd.linearize(gd.games.dirac_gan(penalty=_example(entry)), at=(0, 0))
        if lin.residual == 0:
            values = ",\\ ".join(map(sympy.latex, lin.exact.eigenvalues))
            lines += [
                f"On the minimax Dirac-GAN the flow eigenvalues at $(0, 0)$ become ${values}$: {lin.verdict}.",
                "",
            ]
    return lines
