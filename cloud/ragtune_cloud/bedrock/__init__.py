"""Amazon Bedrock: the tuned model imported, asked without an endpoint, deleted."""
