"""Logins, passwords, sessions, and the person that each login belongs to."""
