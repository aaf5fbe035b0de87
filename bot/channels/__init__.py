"""The ways out: adapters that speak to messengers."""
