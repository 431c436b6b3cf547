"""One run, from settings and blobs to findings in a store."""
