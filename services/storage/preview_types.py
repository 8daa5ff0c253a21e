"""The types of content that have a preview, with the decoder of each picture; no other decoder sees the bytes."""

PDF = "application/pdf"
PICTURES = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/avif": "AVIF",
    "image/heic": "HEIF",
}
CONTENT_TYPES = frozenset({*PICTURES, PDF})
