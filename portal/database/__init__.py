"""The database: tables made from the declaration, the plan that migrates a database to them, the search index."""
