"""What operators and aggregators call: `/in/<channel>/<token>/<what>`."""
