"""What the programme knows, as reviewed data: how its files are read and how an error in one is told."""

from bot.knowledge.loader import KnowledgeError, KnowledgeErrors, Record, read
from bot.knowledge.text import VARIETIES, Text

__all__ = ["VARIETIES", "KnowledgeError", "KnowledgeErrors", "Record", "Text", "read"]
