"""Recorded exchanges in place of an instance: one cassette of vcrpy a test, without secrets, played without a network.

`cassette.py` records and replays, `request_bodies.py`, `normalization.py` and `secrets.py` decide what is recorded,
`cassette_files.py` writes it, `index.py` notes its origin, `network.py` blocks the network, and `pytest_hooks.py` has
the options and hooks of pytest.
"""
