"""The field's most famous picture: from one start on v(a, b) = ab, five ways to follow the gradient.

The flow circles, simultaneous steps spiral out, alternating ones stay on an ellipse, extragradient and optimistic steps
spiral in; the eigenvalues of each update map say why. Writes gda_spiral.png, or the file named on the command line.
"""

import sys

import gandyn as gd

game = gd.games.bilinear()
lr = 0.2
rules = [
    gd.rules.SimultaneousGD(lr),
    gd.rules.AlternatingGD(lr),
    gd.rules.Extragradient(lr),
    gd.rules.OptimisticGD(lr),
]

study = gd.plots.compute_spiral(game, rules, lr=lr, start=(1, 0), steps=60)
print(study)

with gd.plots.house_style("double"):
    figure = gd.plots.draw_spiral(study)
    named = [word for word in sys.argv[1:] if word.endswith(".png")]  # a notebook's kernel has arguments of its own
    print("wrote", figure.save(named[0] if named else "gda_spiral.png"))
