"""Base model, adapter and tokenizer: found, checked, loaded."""
