"""GuardDuty's documents: what they are made of, how a finding becomes one, and what is read from one to explain it."""
