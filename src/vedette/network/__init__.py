"""What an IP address is: its class, and whose and where it is."""
