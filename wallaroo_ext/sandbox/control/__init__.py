"""The routes that control a sandbox: its contents, its clock, how its deployments end, and which requests fail."""
