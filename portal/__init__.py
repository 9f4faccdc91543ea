"""Portal: a customer portal and CRM whose modules are declared in YAML."""
