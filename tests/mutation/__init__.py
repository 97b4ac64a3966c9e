"""Mutation testing: small wrong changes of the package, one at a time, each of which the tests must notice."""
