"""Models of the demo: BottleCRM's, as far as its API shows them."""

from demo_crm.models.approvals import Approval, ApprovalRule
from demo_crm.models.billing import Invoice, InvoiceLineItem, Payment
from demo_crm.models.notes import Activity, Attachment, Comment, CustomFieldDefinition
from demo_crm.models.people import Org, Profile, Tag, Team, User
from demo_crm.models.sales import Account, Contact, Lead, Opportunity, OpportunityLineItem
from demo_crm.models.service import Case, CaseWatcher, Solution, Task, TimeEntry

__all__ = [
    "Account",
    "Activity",
    "Approval",
    "ApprovalRule",
    "Attachment",
    "Case",
    "CaseWatcher",
    "Comment",
    "Contact",
    "CustomFieldDefinition",
    "Invoice",
    "InvoiceLineItem",
    "Lead",
    "Opportunity",
    "OpportunityLineItem",
    "Org",
    "Payment",
    "Profile",
    "Solution",
    "Tag",
    "Task",
    "Team",
    "TimeEntry",
    "User",
]
