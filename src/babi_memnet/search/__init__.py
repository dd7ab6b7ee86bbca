"""Searches over settings: what is searched, which trial is next, and the study on disk that remembers all of them."""
