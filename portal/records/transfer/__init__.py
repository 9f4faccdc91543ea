"""Records in and out: CSV files of one module (`portal import`, `portal export`, the export of a list), and backups."""
