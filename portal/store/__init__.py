"""The bytes of files: storage, media types, virus scans, and thumbnails."""
