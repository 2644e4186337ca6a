"""The stages of a run, one file each: what it reads, its name, and how it is made."""
