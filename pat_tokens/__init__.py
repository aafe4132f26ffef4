"""Personal access tokens for a multi-tenant Django host: model, policy, REST API and pages."""
