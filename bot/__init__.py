"""The process: builds everything from settings, starts and stops it."""
