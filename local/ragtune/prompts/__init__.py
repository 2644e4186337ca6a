"""Records and passages → the text and tokens that a model reads."""
