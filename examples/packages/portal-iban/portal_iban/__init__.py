"""International bank account numbers for Portal: the field type `iban`, and the page /bank-accounts."""
