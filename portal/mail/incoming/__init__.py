"""Mail that comes in: read within bounds, matched to a record or a person, used once or kept aside with its reason."""
