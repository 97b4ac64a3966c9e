"""Which differential equation a rule follows: modified flows, high-resolution equations, drift."""
