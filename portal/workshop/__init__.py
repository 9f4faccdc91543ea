"""The tools around the YAML: fixes, schemas for editors, scaffolding, upgrades, the effect of a change, outlines."""
