"""What is looked at before an import: the model's files here, and what the account says."""
