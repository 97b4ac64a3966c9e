"""All solutions of a game in a box or on a feasible set, counted by proofs."""
