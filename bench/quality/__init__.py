"""Measure how many simulated port scans are found, and how often ordinary traffic is mistaken for one."""
