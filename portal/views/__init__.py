"""What the addresses show: one file per kind of page."""
