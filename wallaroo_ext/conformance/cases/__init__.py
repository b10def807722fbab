"""Makes the requests that a run sends: generated ones, examples, and ones with bad tokens."""
