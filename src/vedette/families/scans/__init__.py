"""The finding type about port scans."""
