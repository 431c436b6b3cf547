"""Vedette finds reconnaissance against AWS accounts."""
