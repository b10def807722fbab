"""The conditions of a run: what lies around it, the signals that end it, and a contract that somebody wrote."""
