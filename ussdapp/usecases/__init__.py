"""What must happen, in order: one verb a file."""
