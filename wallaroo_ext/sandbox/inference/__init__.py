"""Inference: the queue of requests, reading rows and writing answers, and the log."""
