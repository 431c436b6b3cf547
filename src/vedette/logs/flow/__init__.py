"""Turn VPC Flow Log records into record batches: fields, values, text, events."""
