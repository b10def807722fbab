"""Recorded exchanges in place of an instance: one cassette of vcrpy a test, without secrets, played without a network.

`cassette.py` records and plays, `bodies.py`, `kept.py` and `normalised.py` say what is kept, `files.py` writes it,
`secrets.py` looks for what must not be there, `network.py` lets nothing out, and `wiring.py` is what pytest runs with.
"""
