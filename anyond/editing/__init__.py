"""How a small file of text is read without trust and changed with care, whoever else writes it."""
