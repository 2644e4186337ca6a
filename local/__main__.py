"""``python -m local`` is the command ``ragtune``."""

from local.cli import main

main()
