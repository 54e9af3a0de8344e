"""Real agents from npm and PyPI, and what makes each talk to a scripted model."""
