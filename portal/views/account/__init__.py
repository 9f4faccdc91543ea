"""The reader's own account: signing in, the password, the choice of emails."""
