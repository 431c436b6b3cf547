"""The files of the state: which are current, where they lie, and how they are read and written."""
