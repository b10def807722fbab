"""Everything between a client and the network: connections, timeouts, proxies, retries, and errors of answers."""
