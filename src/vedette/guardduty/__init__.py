"""The GuardDuty document of a finding."""
