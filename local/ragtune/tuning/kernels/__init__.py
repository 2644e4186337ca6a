"""The parts of a training step that are our own, for speed."""
