"""Existing tables: converting their values to those of the portal's own tables, and searching them."""
