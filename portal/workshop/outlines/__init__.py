"""Declarations guessed from an existing database or CSV files. Used by `portal init`."""
