"""Rows of the database, made in a line, and a program that writes them."""
