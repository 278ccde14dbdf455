"""The sandbox's login service: grants, tokens, origins."""
