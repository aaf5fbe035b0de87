"""A chat server of our own: speaks the Telegram Bot API to bots and serves a chat page to people."""
