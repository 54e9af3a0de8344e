"""The settings of a person, and the variables of the environment."""
