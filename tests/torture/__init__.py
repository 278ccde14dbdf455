"""What stops, cuts, delays and doubles: harnesses around whole commands, and what they compare.

``zygote`` runs commands in processes that die at an effect, ``sandboxes`` is both systems with a
state that can be had again, ``trial`` brings the two together.
"""
