"""The rule that names an arm, the evidence for it, and what would change it."""
