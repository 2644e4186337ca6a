"""The strong form of offline: the kernel asks before a connection leaves, whoever makes it."""
