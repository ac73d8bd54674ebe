"""Protocols that know no company."""
