"""The tools around the YAML: mending, schemas for editors, starts and upgrades, what a change means, outlines."""
