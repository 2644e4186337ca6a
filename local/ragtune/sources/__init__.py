"""What is read from outside: records and documents."""
