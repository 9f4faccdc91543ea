"""YAML text → data that knows where each part is, and the problems reported about it."""
