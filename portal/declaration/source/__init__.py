"""YAML text → data that knows where each part stands, and the problems told about it."""
