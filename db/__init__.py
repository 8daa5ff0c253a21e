"""Tables, engine, migrations, the rules behind the numbers, files, mail, importer and demo."""
