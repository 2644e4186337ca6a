"""What answers: prompts in, completions out."""
