"""The checkout of an attempt: made, repaired, renamed, and deleted."""
