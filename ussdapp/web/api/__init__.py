"""What institutions' systems call: `/api/v1`."""
