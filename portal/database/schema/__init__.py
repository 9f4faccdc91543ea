"""The tables and indexes of a declaration: those of the modules, and the system tables."""
