"""Taking secrets out of every text that leaves the process: errors, logs, tracebacks, reports, recordings."""
