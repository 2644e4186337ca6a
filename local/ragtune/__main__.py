"""``python -m local`` is the command ``ragtune``."""

from ragtune.cli.app import main

main()
