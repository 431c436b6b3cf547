"""Pieces of SQL that views, states and detections share: time, windows, thresholds, and the terms of flows and of discovery."""
