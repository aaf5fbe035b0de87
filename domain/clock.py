"""The type of a clock: rules take the time as a value, services are given a clock, only edges own one."""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""Returns the time now, aware, UTC."""
