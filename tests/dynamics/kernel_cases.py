"""Maps of which kernels are made, and what a test of them needs."""

from __future__ import annotations

import pytest

from gandyn.dynamics import compile as compiling

needs_compiler = pytest.mark.skipif(compiling.compiler() is None, reason="no C compiler")
