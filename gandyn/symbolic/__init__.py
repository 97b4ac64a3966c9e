"""SymPy expressions made to run: stable named functions, lowering to straight-line code, one backend table per world.

Nothing here is imported until a symbolic game or a trace needs it, so that `import gandyn` does not load SymPy.
"""
