"""What is printed or taken away: workbooks and PDFs, from plain data to bytes."""
