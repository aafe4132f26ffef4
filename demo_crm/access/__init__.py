"""Access: who a request is made by, and which rows it sees."""
