"""The portal for AI assistants: Model Context Protocol tools, which read and write through the API."""
