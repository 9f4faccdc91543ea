"""The portal for AI assistants: tools by the Model Context Protocol, which read and write through the API."""
