"""Local twins of Sales and SCM: real small services with their rules, and faults on demand."""
