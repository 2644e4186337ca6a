"""SageMaker: JumpStart's fine-tuning jobs and the endpoints that serve what they leave."""
