"""What a declaration must fulfil: one file per part of the language; `all` runs them."""
