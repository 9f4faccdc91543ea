"""The worker: announces events, does what is due, invites, sends letters, notifies webhooks, deletes old records."""
