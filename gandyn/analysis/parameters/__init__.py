"""How the answer changes with a parameter: stability regions, thresholds, bifurcations, orbit diagrams."""
