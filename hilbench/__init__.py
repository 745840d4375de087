"""hilbench: a closed-loop test bench for EV load-management systems."""

__version__ = "0.1.0"
