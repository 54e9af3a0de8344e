"""The tests: packages that mirror `anyond`, what they share, and whole programs end to end."""
