"""Import of qualifications from JSON and CSV files: parsing, validation and storing."""
