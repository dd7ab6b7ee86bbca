"""Where a run leaves its record: run directory, signature, lock, checkpoints, environment.

Imports none of the other packages, no torch and no hydra, so that a report can read ten thousand runs in a second.
"""
