"""What is kept or queued: PostgreSQL, Redis, RQ, and the menu files."""
