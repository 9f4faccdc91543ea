"""A record's page: its facts, conversation, files, history, watchers, and the actions of its buttons."""
