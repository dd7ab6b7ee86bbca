"""Log lines for the file alone, where the console shows the same in another form."""

from __future__ import annotations

import logging
from types import TracebackType

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def to_log_files(level: int, message: str, exception: BaseException | None = None) -> None:
    """Write a line, and the traceback of ``exception``, to the files that are logged to, and to nothing else."""
    info: ExceptionInfo | None = None
    if exception is not None:
        info = (type(exception), exception, exception.__traceback__)
    record = logging.LogRecord("babi_memnet", level, "", 0, message, None, info)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(record)
