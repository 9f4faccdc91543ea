"""A module's list: its rows and filters, many records at once, the search everywhere."""
