"""Checks of a declaration: one file per part of the language; `all` runs them."""
