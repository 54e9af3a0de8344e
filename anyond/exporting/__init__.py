"""Everything that a person has, written for another Anyon or for other programs, and taken in."""
