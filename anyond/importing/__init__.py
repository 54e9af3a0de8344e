"""How the data of other programs come into a data directory of Anyon."""
