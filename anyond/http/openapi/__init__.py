"""The description of the API for machines and people, made from the types that it works with."""
