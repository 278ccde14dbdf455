"""Questions about a run, answered from its folder."""
