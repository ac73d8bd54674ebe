"""What stands in on a developer's machine: embedded servers, simulated operators, phone."""
