"""What is true without a computer: no I/O, no clock, no library, no brand."""
