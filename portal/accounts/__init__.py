"""Logins, passwords, sessions, and which person of the portal a login belongs to."""
