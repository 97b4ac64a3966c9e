"""`python -m gandyn` is the command `gandyn`."""

from .cli import main

if __name__ == "__main__":
    main()
