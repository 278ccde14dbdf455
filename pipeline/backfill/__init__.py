"""What the Sales solution's upgrade script does, planned, provable, undoable.

Contact numbers and flags.
"""
