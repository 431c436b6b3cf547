"""Pieces of SQL that views, states and detections share: parameters, thresholds, windows."""
