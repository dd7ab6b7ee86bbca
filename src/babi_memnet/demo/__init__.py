"""Asking trained networks questions, on a page or in the terminal."""
