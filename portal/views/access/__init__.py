"""Who has access: given on a person's and a company's page, by invitation, by signing up."""
