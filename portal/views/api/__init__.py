"""The API: what the pages show and accept, as JSON for programs. Decides nothing itself."""
