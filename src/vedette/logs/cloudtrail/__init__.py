"""CloudTrail records: typed decoding, who called, record batches."""
