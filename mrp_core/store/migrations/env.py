"""Run by Alembic, on the connection and inside the transaction that :meth:`Database.migrate` hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], target_metadata=context.config.attributes["metadata"],
                  transactional_ddl=True, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
