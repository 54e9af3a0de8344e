"""A real service manager of a person's login, for tests."""
