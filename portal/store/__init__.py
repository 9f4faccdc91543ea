"""The bytes of files: where they are stored, what they are, whether they are clean, and their thumbnails."""
