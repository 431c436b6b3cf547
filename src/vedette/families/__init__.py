"""What finding types of one kind share: how rows become sightings, and findings words, sections and advice."""
