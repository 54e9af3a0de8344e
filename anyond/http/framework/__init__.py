"""Quart, for whatever needs it: uploads, files, and ranges of them; loaded when first needed."""
