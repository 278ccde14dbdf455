"""p2c.toml and the environment become frozen settings, each with its origin."""
