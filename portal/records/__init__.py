"""The records of one module under one policy: how they are read, written, indexed, audited and transferred."""
