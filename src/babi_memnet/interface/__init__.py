"""What ``import babi_memnet`` offers in Python (docs/python.md). A network, a loop or a record needs nothing of it."""
