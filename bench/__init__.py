"""Figures, each beside its peer in the same run on the same machine; `make bench` prints them."""
