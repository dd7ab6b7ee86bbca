from .interface.frames import report as report
from .interface.frames import stories as stories
from .interface.frames import table as table
from .interface.runs import Network as Network
from .interface.runs import Run as Run
from .interface.runs import load as load
from .interface.runs import train as train

__version__: str
