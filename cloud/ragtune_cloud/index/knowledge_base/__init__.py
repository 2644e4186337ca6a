"""A Knowledge Base of Amazon Bedrock as a home."""
