"""Secretaries' web pages: what goes out, what waits for a decision, and the accounts; aiohttp views and Jinja2 templates."""
