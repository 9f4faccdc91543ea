"""A record's page: its facts, conversation, files, history, watchers, and what is done with its buttons."""
