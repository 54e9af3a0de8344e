"""One file per chapter of the API; each route decodes, asks, encodes."""
