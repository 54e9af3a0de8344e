"""What the records of a spool mean, as pure folds over them."""
