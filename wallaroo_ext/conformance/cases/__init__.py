"""The requests that a run sends: generated, from examples, and with bad tokens."""
