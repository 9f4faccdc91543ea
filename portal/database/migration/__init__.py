"""Migrates a database to the schema: the differences, the plan in sentences, and carrying it out."""
