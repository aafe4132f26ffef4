from tests.whole_crm.models.boards import Board, BoardColumn, BoardMember, BoardTask
from tests.whole_crm.models.library import Document, Macro, SalesGoal
from tests.whole_crm.models.quotes import (
    Estimate,
    EstimateLineItem,
    Product,
    RecurringInvoice,
    RecurringInvoiceLineItem,
)

__all__ = [
    "Board",
    "BoardColumn",
    "BoardMember",
    "BoardTask",
    "Document",
    "Estimate",
    "EstimateLineItem",
    "Macro",
    "Product",
    "RecurringInvoice",
    "RecurringInvoiceLineItem",
    "SalesGoal",
]
