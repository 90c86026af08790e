"""Requests as providers send them."""
