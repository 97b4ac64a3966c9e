"""Where trajectories go: basins, Lyapunov exponents, recurrence and escape."""
