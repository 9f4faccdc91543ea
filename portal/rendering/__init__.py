"""Rendering: the page objects of the views, drawn by templates/ with Chameleon."""
