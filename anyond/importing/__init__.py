"""Importing the data of other programs into a data directory of Anyon."""
