"""The clock: APScheduler ticks, and the job engine."""
