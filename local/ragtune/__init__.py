"""All of ragtune that runs on this machine; never imports ``cloud``."""

__version__ = "0.1.0"
