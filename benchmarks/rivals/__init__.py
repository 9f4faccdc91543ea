"""What people would use instead, measured on the same tables: each a program of its own in a virtualenv of its own."""
