"""Use cases, one transaction each, shared by chat, console and clock."""
