"""Rules and classes of operators whose worst cases are computed."""

import gandyn as gd

CASES = [
    (gd.rules.GDA(0.1), 0.5, 2.0, 1),
    (gd.rules.Extragradient(0.3), 0.0, 1.0, 1),
    (gd.rules.Extragradient(0.3), 0.1, 1.0, 3),
    (gd.rules.OptimisticGD(0.2), 0.1, 2.0, 4),
    (gd.rules.PastExtragradient(0.2), 0.0, 1.0, 3),
    (gd.rules.HeavyBall(0.1, -0.3), 0.2, 1.0, 3),
    (gd.rules.ProximalPoint(3.0), 0.1, 1.0, 2),
    (gd.rules.RungeKutta(0.4, 2), 0.0, 1.0, 2),
]
