"""Acceptance tests: does every tool work on every entity of this CRM?"""
