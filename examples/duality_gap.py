"""Minimax beside duality gap: f = 3x^2 - y^2 + 4xy from (3, 3), two landscapes of one game with one optimum.

On f one player climbs while the other descends; on its duality gap, 7x^2 + 7y^2/3, both descend. Gap descent answers by
40 inner steps of 0.01 and moves with Adam at 0.1. Writes duality_gap_landscapes.png and duality_gap_along.png.
"""

import sympy

import gandyn as gd

x, y = sympy.symbols("x y", real=True)
game = gd.games.from_sympy(3 * x**2 - y**2 + 4 * x * y, [x, y], name="3x² − y² + 4xy", equilibria=[(0, 0)])
start, steps = (3, 3), 80

print("exact gap:", gd.duality_gap(game).value.expand())
for k in (8, 40, 400):
    print(f"after {k} inner steps:", gd.duality_gap(game, start, "gradient", k=k, inner_lr=0.01))
print("certified within |x|, |y| <= 10:", gd.duality_gap(game, start, "box", radius=10))

runs = {
    "gradient descent-ascent": gd.iterate(game, gd.rules.GDA(0.1), start, steps),
    "extragradient": gd.iterate(game, gd.rules.Extragradient(0.1), start, steps),
    "consensus": gd.iterate(game, gd.rules.Consensus(0.05, 0.2), start, steps),
    "gap descent (Adam)": gd.iterate(
        game, gd.rules.DualityGapDescent(None, 40, 0.01, outer=gd.rules.Adam(0.1)), start, steps
    ),
}
with gd.plots.house_style("double"):
    landscapes = gd.plots.landscapes(game, runs, box=[(-4, 4), (-4, 4)])
    print("wrote", landscapes.save("duality_gap_landscapes.png"))
along = gd.gap_along(runs, points=steps + 1)
print(along.summary())
print("wrote", along.plot().save("duality_gap_along.png"))
