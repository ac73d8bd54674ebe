"""Alembic's entry: it runs on the connection that `migrate` opened."""

from alembic import context

# in one transaction, the locks of the first migration would be held until the last has ended
context.configure(
    connection=context.config.attributes["connection"], transaction_per_migration=True
)
context.run_migrations()
