"""How the checkout of an attempt comes to be, is mended, gets another name, and goes."""
