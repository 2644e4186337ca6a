"""Promotion of a recipe to SageMaker JumpStart; imports ``ragtune``, never the other way round."""
