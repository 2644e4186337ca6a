"""Where chunks are kept: an embedded engine or a server."""
