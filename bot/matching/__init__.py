"""Trainings, tools, providers and platforms that fit a firm and its need, each with its reasons."""
