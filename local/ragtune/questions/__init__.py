"""Questions drafted from documents: facts in the text, asked for by a small model, checked."""
