"""Which tables and indexes there are: those of the modules, and the portal's own."""
