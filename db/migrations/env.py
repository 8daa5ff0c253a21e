"""Alembic's environment, for `db.migrate.write_migration`: compares the mapped classes with a database."""

from alembic import context

from db.models.registry import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
