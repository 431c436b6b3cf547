"""The locked requirements, and the scripts that write and audit them."""
