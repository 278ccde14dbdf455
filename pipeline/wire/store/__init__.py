"""Object stores: a container or bucket as a folder that is read, never written."""
