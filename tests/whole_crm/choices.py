"""The values of fields that only the kinds of record on request have."""

from demo_crm.choices import labelled

ESTIMATE_STATUS = labelled("Draft, Sent, Viewed, Accepted, Declined, Expired")
RECURRING_FREQUENCY = labelled(
    "WEEKLY, BIWEEKLY, MONTHLY, QUARTERLY, SEMI_ANNUALLY, YEARLY, CUSTOM"
)
GOAL_TYPE = labelled("REVENUE, DEALS_CLOSED")
PERIOD_TYPE = labelled("MONTHLY, QUARTERLY, YEARLY, CUSTOM")
BOARD_ROLE = labelled("owner, admin, member")
CARD_PRIORITY = labelled("low, medium, high, urgent")
DOCUMENT_STATUS = labelled("active, inactive")
MACRO_SCOPE = labelled("org, personal")
