"""What ``p2c check`` looks at."""
