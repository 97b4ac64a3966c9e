"""What noise makes of a rule: stationary laws, mean-square stability, and modified stochastic equations."""
