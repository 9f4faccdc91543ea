"""Who has access: given on a person's or a company's page, by invitation, or by signing up."""
