"""hilbench: a closed-loop test bench for EV load-management systems."""

import logging

__version__ = "0.1.0"

logging.getLogger(__name__).addHandler(logging.NullHandler())
