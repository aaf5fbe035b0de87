"""Chat: aiogram routers, one a feature, and their keyboards."""
