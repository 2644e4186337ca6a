"""What a person decides about drafted questions: kept, edited, dropped; and nothing of it lost."""
