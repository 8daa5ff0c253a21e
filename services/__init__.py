"""What a deployment plugs in or runs beside requests: files, mail, push, audit, imports, privacy, backups, the demo."""
