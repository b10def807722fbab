"""The output of a run over a data set: files that are whole, and a manifest to go on from."""
