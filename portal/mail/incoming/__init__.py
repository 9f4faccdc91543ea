"""Incoming mail: read within limits, matched to a record or a person, used once or kept aside with a reason."""
