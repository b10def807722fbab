"""Reading the answers of every release as tables of one form, and the outputs of models from them."""
