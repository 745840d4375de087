"""Logs of CAN buses, as people have them, and the CHAdeMO sessions in them."""

from hilbench.canlogs.reading import CanFrame as CanFrame
from hilbench.canlogs.reading import Log as Log
from hilbench.canlogs.reading import read_log as read_log
