"""Import and export of records, as CSV files and workbooks of one module, by commands and list pages; and backups."""
