"""The search index and its two engines."""
