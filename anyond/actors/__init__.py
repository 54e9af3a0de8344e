"""The things that can be stopped, and who watches over them."""
