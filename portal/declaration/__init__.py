"""The declaration: the YAML read, checked and resolved into one frozen whole."""
