"""The routes that steer a sandbox: its state as a whole, its clock, what takes how long, and what fails."""
