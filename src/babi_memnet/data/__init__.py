"""Stories: where they come from, and the one form in which they are handed on."""

from babi_memnet.data.records import StoryQuestion
from babi_memnet.data.sources import fingerprint, load

__all__ = ["StoryQuestion", "fingerprint", "load"]
