"""Tables that others made: their values as those of the portal's own tables, and the search in them."""
