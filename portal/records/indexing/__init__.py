"""Keeping the search index in step with the records."""
