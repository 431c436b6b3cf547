"""How numbers that stand for texts within a slice are put together: an object's above a position, and a mark above both."""

OBJECT = 1 << 32
BACKWARD = 1 << 62
