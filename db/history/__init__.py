"""The daily history of aims and of logged time: a row for each day with a change."""
