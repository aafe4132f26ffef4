from demo_crm.models.approvals import Approval, ApprovalRule
from demo_crm.models.billing import Invoice, InvoiceLineItem, Payment
from demo_crm.models.boards import Board, BoardColumn, BoardMember, BoardTask
from demo_crm.models.library import Document, Macro, SalesGoal
from demo_crm.models.notes import Activity, Attachment, Comment, CustomFieldDefinition
from demo_crm.models.people import Org, Profile, Tag, Team, User
from demo_crm.models.quotes import (
    Estimate,
    EstimateLineItem,
    Product,
    RecurringInvoice,
    RecurringInvoiceLineItem,
)
from demo_crm.models.sales import Account, Contact, Lead, Opportunity, OpportunityLineItem
from demo_crm.models.service import Case, CaseWatcher, Solution, Task, TimeEntry

__all__ = [
    "Account",
    "Activity",
    "Approval",
    "ApprovalRule",
    "Attachment",
    "Board",
    "BoardColumn",
    "BoardMember",
    "BoardTask",
    "Case",
    "CaseWatcher",
    "Comment",
    "Contact",
    "CustomFieldDefinition",
    "Document",
    "Estimate",
    "EstimateLineItem",
    "Invoice",
    "InvoiceLineItem",
    "Lead",
    "Macro",
    "Opportunity",
    "OpportunityLineItem",
    "Org",
    "Payment",
    "Product",
    "Profile",
    "RecurringInvoice",
    "RecurringInvoiceLineItem",
    "SalesGoal",
    "Solution",
    "Tag",
    "Task",
    "Team",
    "TimeEntry",
    "User",
]
