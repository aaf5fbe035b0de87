"""Times and days as chat words them; `services.times` makes them."""

from services.times import day, moment, short_day

__all__ = ["day", "moment", "short_day"]
