"""SCM read before anything is written: what it has, what it lacks, whether it is what the plan takes it for."""
