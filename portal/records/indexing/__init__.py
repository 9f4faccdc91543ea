"""What is derived from records and stored with them: the search index, formulas, roll-ups, and times in states."""
