"""The rows of a data set, from files of any form, as batches of one schema."""
