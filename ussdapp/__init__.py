"""The open USSD and SMS gateway."""
