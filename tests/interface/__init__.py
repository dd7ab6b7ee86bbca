"""Tests of what Python gets."""
