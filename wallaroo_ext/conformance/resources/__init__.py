"""What a run makes in an instance, what it owns there, and how it ends that."""
