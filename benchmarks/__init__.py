"""How fast the portal is: `make bench`. See README.md."""
