"""`portal check --fix`: edits that fix problems without guessing, each tried before it is kept."""
