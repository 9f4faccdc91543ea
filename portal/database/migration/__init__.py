"""Bringing a database to the schema: what differs, the plan in sentences, and doing it."""
