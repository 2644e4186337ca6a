"""Rows of records as people have them: files of several kinds, and hub data sets."""
