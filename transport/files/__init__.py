"""File upload and download over HTTP."""
