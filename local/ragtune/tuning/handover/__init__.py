"""What leaves ragtune: a model's folder, or a GGUF, as other programs read it."""
