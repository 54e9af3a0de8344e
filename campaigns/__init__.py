"""Long trials of a whole daemon: what tests do once, here it is done until something breaks."""
