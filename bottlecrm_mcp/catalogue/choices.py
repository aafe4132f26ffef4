"""Choices of BottleCRM's fields, spelled as its API expects them."""

LEAD_STATUS = ("assigned", "in process", "converted", "recycled", "closed")
# "compaign" is how the API spells it.
LEAD_SOURCE = (
    "call",
    "email",
    "existing customer",
    "partner",
    "public relations",
    "compaign",
    "other",
)
RATING = ("HOT", "WARM", "COLD")
INDUSTRY = (
    "ADVERTISING",
    "AGRICULTURE",
    "APPAREL & ACCESSORIES",
    "AUTOMOTIVE",
    "BANKING",
    "BIOTECHNOLOGY",
    "BUILDING MATERIALS & EQUIPMENT",
    "CHEMICAL",
    "COMPUTER",
    "EDUCATION",
    "ELECTRONICS",
    "ENERGY",
    "ENTERTAINMENT & LEISURE",
    "FINANCE",
    "FOOD & BEVERAGE",
    "GROCERY",
    "HEALTHCARE",
    "INSURANCE",
    "LEGAL",
    "MANUFACTURING",
    "PUBLISHING",
    "REAL ESTATE",
    "SERVICE",
    "SOFTWARE",
    "SPORTS",
    "TECHNOLOGY",
    "TELECOMMUNICATIONS",
    "TELEVISION",
    "TRANSPORTATION",
    "VENTURE CAPITAL",
)
CURRENCY = (
    "USD",
    "EUR",
    "GBP",
    "INR",
    "CAD",
    "AUD",
    "JPY",
    "CNY",
    "CHF",
    "SGD",
    "AED",
    "BRL",
    "MXN",
)
STAGE = (
    "PROSPECTING",
    "QUALIFICATION",
    "PROPOSAL",
    "NEGOTIATION",
    "CLOSED_WON",
    "CLOSED_LOST",
)
OPPORTUNITY_TYPE = ("NEW_BUSINESS", "EXISTING_BUSINESS", "RENEWAL", "UPSELL", "CROSS_SELL")
OPPORTUNITY_SOURCE = (
    "NONE",
    "CALL",
    "EMAIL",
    "EXISTING CUSTOMER",
    "PARTNER",
    "PUBLIC RELATIONS",
    "CAMPAIGN",
    "WEBSITE",
    "OTHER",
)
TASK_STATUS = ("New", "In Progress", "Completed")
TASK_PRIORITY = ("Low", "Medium", "High")
CASE_STATUS = ("New", "Assigned", "Pending", "Closed", "Rejected", "Duplicate")
CASE_PRIORITY = ("Low", "Normal", "High", "Urgent")
CASE_TYPE = ("Question", "Incident", "Problem")
INVOICE_STATUS = (
    "Draft",
    "Sent",
    "Viewed",
    "Paid",
    "Partially_Paid",
    "Overdue",
    "Pending",
    "Cancelled",
)
UNPAID = ("Sent", "Viewed", "Partially_Paid", "Overdue", "Pending")
DISCOUNT_TYPE = ("PERCENTAGE", "FIXED")
PAYMENT_TERMS = ("DUE_ON_RECEIPT", "NET_15", "NET_30", "NET_45", "NET_60", "CUSTOM")
PAYMENT_METHOD = (
    "CASH",
    "CHECK",
    "CREDIT_CARD",
    "BANK_TRANSFER",
    "PAYPAL",
    "STRIPE",
    "OTHER",
)
REMINDER_FREQUENCY = ("ONCE", "WEEKLY", "CUSTOM")
SOLUTION_STATUS = ("draft", "reviewed", "approved")
ROLE = ("ADMIN", "USER")
TAG_COLOR = (
    "gray",
    "red",
    "orange",
    "amber",
    "yellow",
    "lime",
    "green",
    "emerald",
    "teal",
    "cyan",
    "sky",
    "blue",
    "indigo",
    "violet",
    "purple",
    "fuchsia",
    "pink",
    "rose",
)
CUSTOM_FIELD_TARGET = (
    "Account",
    "Case",
    "Contact",
    "Estimate",
    "Invoice",
    "Lead",
    "Opportunity",
    "RecurringInvoice",
    "Task",
)
CUSTOM_FIELD_TYPE = ("text", "textarea", "number", "dropdown", "date", "checkbox")
ESTIMATE_STATUS = ("Draft", "Sent", "Viewed", "Accepted", "Declined", "Expired")
RECURRING_FREQUENCY = (
    "WEEKLY",
    "BIWEEKLY",
    "MONTHLY",
    "QUARTERLY",
    "SEMI_ANNUALLY",
    "YEARLY",
    "CUSTOM",
)
GOAL_TYPE = ("REVENUE", "DEALS_CLOSED")
PERIOD_TYPE = ("MONTHLY", "QUARTERLY", "YEARLY", "CUSTOM")
CARD_PRIORITY = ("low", "medium", "high", "urgent")
DOCUMENT_STATUS = ("active", "inactive")
MACRO_SCOPE = ("personal", "org")
