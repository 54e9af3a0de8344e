"""Turns of an agent: prompt, launch, records, questions."""
