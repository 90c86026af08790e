"""Measurements against a running bot, on loopback, bounded in count and time."""
