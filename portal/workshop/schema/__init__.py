"""JSON Schemas of the language with the names of one folder, for editors: completion, hover, and error marks."""
