"""Forms: creating and editing, their inputs, drafts, files and lines."""
