"""Whether each player sits at a minimum of its own cost: proved, refused, or left open."""
