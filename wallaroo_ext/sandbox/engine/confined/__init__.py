"""What runs in the confined processes of models: their program, its limits, and the steps of a pipeline."""
