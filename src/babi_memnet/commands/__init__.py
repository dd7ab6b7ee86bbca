"""The command line: one Hydra application a command."""
