"""What a deployment plugs in or runs beside requests: files, mail, audit, imports, privacy, backups, the demo."""
