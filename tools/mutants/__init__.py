"""The mutation check: small faults are put into the code, and tests must notice each."""
