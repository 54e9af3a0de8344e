"""How git reads and writes files: attributes, conversions, filters, the index."""
