"""Files that belong to nobody else: uploaded images, and what a person's disk looks like."""
