"""Progress reviews: prepared in words, issued as a document, signed, and reopened."""
