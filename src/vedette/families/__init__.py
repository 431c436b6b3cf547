"""What finding types of one kind share: rows become sightings, findings become words."""
