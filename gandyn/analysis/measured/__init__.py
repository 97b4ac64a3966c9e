"""What trajectories show: fitted rates, averages, and rules compared at equal cost."""
