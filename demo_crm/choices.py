"""Choices that BottleCRM's fields accept, spelled as it spells them."""

Choices = list[tuple[str, str]]


def labelled(values: str) -> Choices:
    return [(value, value.replace("_", " ").title()) for value in values.split(", ")]


CURRENCY = labelled("USD, EUR, GBP, INR, CAD, AUD, JPY, CNY, CHF, SGD, AED, BRL, MXN")
INDUSTRY = labelled(
    "ADVERTISING, AGRICULTURE, APPAREL & ACCESSORIES, AUTOMOTIVE, BANKING, BIOTECHNOLOGY, "
    "BUILDING MATERIALS & EQUIPMENT, CHEMICAL, COMPUTER, EDUCATION, ELECTRONICS, ENERGY, "
    "ENTERTAINMENT & LEISURE, FINANCE, FOOD & BEVERAGE, GROCERY, HEALTHCARE, INSURANCE, LEGAL, "
    "MANUFACTURING, PUBLISHING, REAL ESTATE, SERVICE, SOFTWARE, SPORTS, TECHNOLOGY, "
    "TELECOMMUNICATIONS, TELEVISION, TRANSPORTATION, VENTURE CAPITAL"
)

LEAD_STATUS = labelled("assigned, in process, converted, recycled, closed")
# "compaign" is BottleCRM's own spelling, and the only one it accepts.
LEAD_SOURCE = labelled("call, email, existing customer, partner, public relations, compaign, other")
LEAD_RATING = labelled("HOT, WARM, COLD")

OPPORTUNITY_STAGE = labelled(
    "PROSPECTING, QUALIFICATION, PROPOSAL, NEGOTIATION, CLOSED_WON, CLOSED_LOST"
)
STAGE_PROBABILITY = {
    "PROSPECTING": 10,
    "QUALIFICATION": 25,
    "PROPOSAL": 50,
    "NEGOTIATION": 75,
    "CLOSED_WON": 100,
    "CLOSED_LOST": 0,
}
CLOSED_STAGES = ("CLOSED_WON", "CLOSED_LOST")
OPPORTUNITY_TYPE = labelled("NEW_BUSINESS, EXISTING_BUSINESS, RENEWAL, UPSELL, CROSS_SELL")
OPPORTUNITY_SOURCE = labelled(
    "NONE, CALL, EMAIL, EXISTING CUSTOMER, PARTNER, PUBLIC RELATIONS, CAMPAIGN, WEBSITE, OTHER"
)

TASK_STATUS = labelled("New, In Progress, Completed")
TASK_PRIORITY = labelled("Low, Medium, High")

CASE_STATUS = labelled("New, Assigned, Pending, Closed, Rejected, Duplicate")
CASE_PRIORITY = labelled("Low, Normal, High, Urgent")
CASE_TYPE = labelled("Question, Incident, Problem")
APPROVAL_TRIGGER = labelled("pre_close")
APPROVAL_STATE = labelled("pending, approved, rejected, cancelled")
# No profile has the role MANAGER: a rule that names it is decided by its own approvers alone.
APPROVER_ROLE = labelled("ADMIN, MANAGER")
SOLUTION_STATUS = labelled("draft, reviewed, approved")

INVOICE_STATUS = labelled("Draft, Sent, Viewed, Paid, Partially_Paid, Overdue, Pending, Cancelled")
UNPAID_STATUSES = ("Sent", "Viewed", "Partially_Paid", "Overdue")
DISCOUNT_TYPE = labelled("PERCENTAGE, FIXED")
PAYMENT_TERMS = labelled("DUE_ON_RECEIPT, NET_15, NET_30, NET_45, NET_60, CUSTOM")
PAYMENT_METHOD = labelled("CASH, CHECK, CREDIT_CARD, BANK_TRANSFER, PAYPAL, STRIPE, OTHER")
REMINDER_FREQUENCY = labelled("ONCE, WEEKLY, CUSTOM")
FIELD_TYPE = labelled("text, textarea, number, dropdown, date, checkbox")

TAG_COLOR = labelled(
    "gray, red, orange, amber, yellow, lime, green, emerald, teal, cyan, sky, blue, indigo, "
    "violet, purple, fuchsia, pink, rose"
)
