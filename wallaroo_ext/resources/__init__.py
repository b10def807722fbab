"""Finding workspaces and versions of models by whatever names them."""
