"""Making text safe to show: secrets are removed, and characters that steer a terminal are escaped.

Every text that leaves the process passes through here: errors, logs, tracebacks, reports, recordings.
"""
