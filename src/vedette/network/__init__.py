"""Parse and classify IP addresses, and look up where they are and who owns them."""
