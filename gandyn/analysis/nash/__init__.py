"""Whether each player sits at a minimum of its own cost: proved, disproved, or left open."""
