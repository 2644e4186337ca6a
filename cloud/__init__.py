"""Promotion of a recipe to SageMaker JumpStart; imports ``local``, never the other way round."""
