"""What is between a client and the network: connections, time-outs, proxies, retries, and what an answer means."""
