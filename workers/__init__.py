"""Processes that wait."""
