"""Linear algebra that asks only for products with the matrix: linear systems, and bases for eigenvalues."""
