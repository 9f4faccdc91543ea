"""The API: what the pages show and take, as JSON for programs. Nothing is decided here."""
