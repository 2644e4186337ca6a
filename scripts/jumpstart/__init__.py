"""The check of our JumpStart request against the real SDK."""
