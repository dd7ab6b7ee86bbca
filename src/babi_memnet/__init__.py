"""A research harness for memory networks on the bAbI question-answering tasks."""

import lazy_loader

__version__ = "0.1.0"

# What `__init__.pyi` names is imported when it is asked for: no command has to wait for it.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
