"""Looking for what is wrong with this installation, and for the remedy: `anyon doctor`."""
