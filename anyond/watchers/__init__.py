"""What observes: it follows what others write down, and owns nothing that can be stopped."""
