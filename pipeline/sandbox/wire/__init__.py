"""How the sandbox talks HTTP: server, faults, batches, blobs."""
