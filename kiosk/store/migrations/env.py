"""Run by alembic: the migrations go into the transaction that `upgrade` was given, so that all hold or none does."""

from alembic import context

from kiosk.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
