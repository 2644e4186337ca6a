"""Retrieval: documents → chunks → Qdrant → passages with scores and sources."""
