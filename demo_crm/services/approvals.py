"""Approvals: which rule wants one before a case is closed, and whether the case has it."""

from demo_crm.models import Approval, ApprovalRule, Case


def matches(rule: ApprovalRule, case: Case) -> bool:
    return (
        rule.is_active
        and rule.match_priority in (None, "", case.priority)
        and rule.match_case_type in (None, "", case.case_type)
        and (rule.match_team_id is None or case.teams.filter(pk=rule.match_team_id).exists())
    )


def rule_for(case: Case) -> ApprovalRule | None:
    """Of the rules that match, the one that asks for most, and of those the newest."""
    rules = ApprovalRule.objects.filter(org=case.org_id, is_active=True, trigger_event="pre_close")
    matching = [rule for rule in rules.order_by("-created_at") if matches(rule, case)]
    return max(matching, key=_demands, default=None)


def _demands(rule: ApprovalRule) -> int:
    return sum(map(bool, (rule.match_priority, rule.match_case_type, rule.match_team_id)))


def unapproved(case: Case) -> ApprovalRule | None:
    """The rule that keeps the case open, if there is one."""
    rule = rule_for(case)
    approved = Approval.objects.filter(case=case, rule=rule, state="approved")
    return None if rule is None or approved.exists() else rule
