"""What exports need of a server: how many are made at once, the process of a bulk export, and folders of reports."""
