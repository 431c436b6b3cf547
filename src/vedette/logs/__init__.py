"""Reading the two kinds of logs: files, JSON and text, down to typed record batches."""
