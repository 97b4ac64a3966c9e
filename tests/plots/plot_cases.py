"""A game and rules for tests of pictures, and where a picture's artists lie."""

from __future__ import annotations

import gandyn as gd

LR = 0.2
BILINEAR = gd.games.bilinear()
RULES = [gd.rules.GDA(LR), gd.rules.AlternatingGD(LR), gd.rules.Extragradient(LR), gd.rules.OptimisticGD(LR)]


def legend_labels(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]
