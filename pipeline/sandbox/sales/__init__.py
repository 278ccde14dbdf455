"""The Sales twin: Dataverse Web API v9.2."""
