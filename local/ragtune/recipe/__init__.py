"""The one recipe: its schema, its file, a first one."""
