"""A run that is asked over HTTP: a page, an API as OpenAI's, searches, updates of the index."""
