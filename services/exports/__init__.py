"""What exports need of a server: how many are made at once, the processes that make them, and folders of reports."""
