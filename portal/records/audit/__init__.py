"""Asking the policy and the data why: explanations, expectations, missing indexes."""
