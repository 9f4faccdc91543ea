"""Records in and out: CSV files and workbooks of one module, of commands and of the pages of a list; and backups."""
