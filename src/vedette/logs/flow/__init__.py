"""VPC Flow Log records: fields, values, text, record batches."""
