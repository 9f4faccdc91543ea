"""CSV files in and out of one module: `portal import`, `portal export` and the export of a list."""
