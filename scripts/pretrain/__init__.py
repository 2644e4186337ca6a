"""The tiny base model: tokenizer, data, training, evaluation, export. `run` does it all."""
