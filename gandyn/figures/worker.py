"""One figure in a process of its own: `make`'s arguments as JSON on the command line, the outcome on stdout."""

from __future__ import annotations

import json
import sys

from .making import make


def main(arguments: str) -> None:
    """Make the figure; the last line printed is the outcome. What the figure itself prints goes to stderr."""
    stdout, sys.stdout = sys.stdout, sys.stderr
    made = make(**json.loads(arguments))
    print(json.dumps(made.to_dict()), file=stdout)


if __name__ == "__main__":
    main(sys.argv[1])
