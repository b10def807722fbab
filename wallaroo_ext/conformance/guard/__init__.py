"""What the suite may send: only what the contract says, to only what the run made."""
