"""What commands share: options, settings, standard streams, files of results, how they end, and the progress bar."""
