"""Scoring rows on a deployment: what may be sent, what an answer is read as, and the model's outputs as arrays."""
