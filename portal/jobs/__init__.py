"""What the worker does: announces what happened, sends letters, does what is due."""
