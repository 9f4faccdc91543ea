"""One's own account: signing in, the password, which emails one wants."""
