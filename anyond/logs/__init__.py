"""The meaning of the records of a spool, as pure folds over them."""
