"""Pyramid: resources, security, rendering, the portal in force."""
