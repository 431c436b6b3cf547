"""What commands share: options, settings, standard output and the progress bar."""
