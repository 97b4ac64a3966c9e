"""Proofs: of local convergence in a box, by Lyapunov functions, and of worst cases over classes of games."""
