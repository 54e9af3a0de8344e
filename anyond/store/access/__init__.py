"""Rows about who may do what: tokens, and what agents have done by theirs."""
