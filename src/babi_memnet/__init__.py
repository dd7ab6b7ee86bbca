"""A research harness for memory networks on the bAbI question-answering tasks."""

__version__ = "0.1.0"
