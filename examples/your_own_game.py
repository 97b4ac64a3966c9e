"""A game of your own from two formulas: its equilibria, a rule linearised at each, and what happens between them."""

import sympy

import gandyn as gd

x, y = sympy.symbols("x y", real=True)
coupling = sympy.Rational(1, 2)
game = gd.games.from_sympy(
    [x**4 / 4 - x**2 / 2 + coupling * x * y, y**2 / 2 - coupling * x * y],
    {"producer": x, "critic": y},
    name="double well against a critic",
)
rule = gd.rules.OptimisticGD(0.1)

box = [(-2, 2), (-2, 2)]
for point in gd.fixed_points(game, box=box):
    lin = gd.linearize(game, rule, at=point.exact or point.point)
    print(point, "| under the rule:", lin.verdict, "with spectral radius", round(lin.spectral_radius, 6))

runs = {str(start): gd.iterate(game, rule, start, 200) for start in [(0.1, 1.5), (-0.1, -1.5), (1.9, -1.9)]}
figure = gd.plots.phase_portrait(game, box, runs, nullclines=True, title=game.name)
print("wrote", figure.save("your_own_game.png"))
