"""The commands that check an instance: its connection, its own document, and whether it keeps the contract."""
