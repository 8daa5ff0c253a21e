"""The database: tables, migrations, the connection to SQLite or PostgreSQL, and SQL that several statements share."""
