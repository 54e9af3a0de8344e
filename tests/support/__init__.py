"""What tests of several folders work with."""
