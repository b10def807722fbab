"""Judging: runs the suite on mutants and on healthy instances, in several processes."""
