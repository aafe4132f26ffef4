"""Service: cases with their time and approvals, and solutions."""
