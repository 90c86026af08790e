"""Rasa SDK actions: read what was said, call the rooms of bot, utter. No rules of their own."""
