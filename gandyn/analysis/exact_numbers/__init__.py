"""Signs, roots and stability of polynomials, decided in exact arithmetic."""
