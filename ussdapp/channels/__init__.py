"""One file per operator or aggregator: how it spells USSD, MO, submits and receipts."""
