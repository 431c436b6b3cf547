"""Turn log files of both kinds, CloudTrail and VPC Flow Logs, into typed record batches."""
