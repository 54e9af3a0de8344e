"""Files as git reads and writes them: attributes, conversions, filters, the index."""
