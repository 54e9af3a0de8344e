"""Small files of text: read without trust, changed with care, whoever else writes them."""
