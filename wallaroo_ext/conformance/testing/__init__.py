"""What the tests of the suite call: an instance with any body and token, and readers of the answers of any release."""
