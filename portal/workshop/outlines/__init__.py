"""Declarations guessed from what exists: a database, or CSV files. Called by `portal init`."""
