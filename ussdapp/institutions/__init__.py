"""How one back office is asked, and how it answers: one file each."""
