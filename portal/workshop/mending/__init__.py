"""`portal check --fix`: edits for what can be mended without guessing, each tried before it is kept."""
