"""Long tests that are run by hand, with `make drills`."""
