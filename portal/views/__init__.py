"""The pages behind the addresses: one file per kind of page."""
