"""A simulator of the twenty bAbI tasks: small worlds in which things happen, are told, and are asked about."""

UNSHIFTED = "none"
"""Stands for no shift: the world of training."""
