"""HTTP: the protocol and its limits, bodies, validation by the contract, errors, the access log."""
