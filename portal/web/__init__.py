"""Pyramid: resources, security, protection, and the portal in force."""
