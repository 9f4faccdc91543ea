"""Letters: what is said, to whom, in which language."""
