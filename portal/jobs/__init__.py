"""What the worker does: announcing what happened, sending letters, what is due."""
