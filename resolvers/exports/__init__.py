"""Exports: workbooks, PDFs and ZIPs, from what one viewer sees to bytes."""
