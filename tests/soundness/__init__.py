"""Tests that look for answers which are wrong in silence: what must not change when nothing has changed."""
