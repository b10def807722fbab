"""The commands of a clone; their programs are in `scripts.lib`."""
