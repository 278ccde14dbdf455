"""What the Sales solution's upgrade script does, planned, provable, undoable: contact numbers and flags."""
