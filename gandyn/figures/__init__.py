"""Published figures redrawn: one file a figure, its numbers checked whenever it is made.

A figure is a file `paper_figures/PAPER_FIG.py`. Its docstring says what the paper showed, with which settings, and what
is found here: agreement or a correction, and how we know. It defines

    PAPER = "Mescheder, Geiger & Nowozin 2018"
    TITLE = "The Dirac-GAN under nine training methods"
    SOURCE = "figure 2"
    SEED = 0                                  optional: what its random numbers are drawn from
    compute(quick) -> dict                    NumPy arrays, numbers, texts and lists of them: all that is shown
    draw(data) -> matplotlib Figure           from these data alone, in the house style of `gandyn.plots`
    EXPECTED = (Expected(...), ...)           numbers, derived or published, that the data must reproduce; with
                                              effect=True, what the paper shows and these settings may not
    VERDICT = "reproduced"                    optional: what the saved data came out as, for `gandyn figure --list`

What networks show is an effect with one number a seed. Their data say what they rest on: "seeds" (a list), "gradients"
(of one run), "settings" (a text), and "short" (why the budget decides nothing), which the verdict repeats.

Long data are made of parts, `part("SGD", lambda: {...})`, one a method or a seed: what an interrupted run had finished
is kept in the folder `NAME.parts` until the whole is there.

`compute(quick=True)` takes seconds on a CPU and keeps the figure's message; toys compute the same at both settings. The
data are saved beside the picture and read back before they are drawn; a text under "device" says where they were
computed ("cpu" without one). A change of `draw` redraws without computing again: so `compute` takes nothing from
`gandyn.plots`. A picture takes the width of the style (`Drawing`, `current_width()`) and is legible at each.

`figures` finds them, `make` makes one, `make_all` many in parallel processes; `gandyn figure` is the command.
"""

from __future__ import annotations

from .batch import Report, make_all, tally
from .catalogue import PaperFigure, figures, find, folder, load
from .expected import Checked, Expected, Outcome, check, effects, outcome, verdict
from .grids import grid
from .making import Made, make, picture
from .parts import part

__all__ = [
    "Checked",
    "Expected",
    "Made",
    "Outcome",
    "PaperFigure",
    "Report",
    "check",
    "effects",
    "figures",
    "find",
    "folder",
    "grid",
    "load",
    "make",
    "make_all",
    "outcome",
    "part",
    "picture",
    "tally",
    "verdict",
]
