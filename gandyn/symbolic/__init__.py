"""SymPy expressions made to run: stable named functions, lowering to straight-line code, one backend table per world.

Three subjects. Code: `lowering` turns expressions into one operation a line, `backends` say how each language writes
them, `function` evaluates them in the world of its arguments. Series: `taylor` expands a program at a point, with
coefficients from `coefficients`, `exponentials` and `square_roots`; `kinks` and `limits` are what it does where
derivatives end. Enclosures: `intervals` for many boxes at once, `balls` for proofs about one.

Nothing here is imported until a symbolic game or a trace needs it, so that `import gandyn` does not load SymPy.
"""
