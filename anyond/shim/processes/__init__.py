"""The processes of this machine: which there are, and which of them descend from an execution."""
