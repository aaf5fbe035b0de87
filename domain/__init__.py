"""Values and rules of the membership organisation: no I/O, no clock, no framework."""
