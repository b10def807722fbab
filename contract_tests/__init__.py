"""The tests of the contract and of everything that is built on it."""
