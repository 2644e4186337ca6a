"""Amazon S3 Vectors as a home."""
