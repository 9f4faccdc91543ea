"""Pyramid: resources, security, rendering, and the portal in force."""
