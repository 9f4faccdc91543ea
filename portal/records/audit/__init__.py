"""Questions to the policy and the data: explanations, expectations, missing indexes."""
