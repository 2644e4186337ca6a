"""The checks before a cent is spent: those that need no account, and those that ask it."""
