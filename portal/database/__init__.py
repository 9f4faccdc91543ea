"""The database: tables made from the declaration, the plan that brings a database to them, the search index."""
