"""Reading records: one by id, pages, counts, filters; always within a policy."""
