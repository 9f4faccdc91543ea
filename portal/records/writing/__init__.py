"""Writing records: forms to values, create, edit, move, comment, delete."""
