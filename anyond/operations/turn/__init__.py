"""What a turn of an agent needs and leaves: its prompt, its launch, its records, its questions."""
