"""the imported catalogue: the import and its entries, replaced in one step

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "catalogue_imports",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("file", sa.String(200), nullable=False),
        sa.Column("imported_at", sa.Float(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "catalogue_entries",
        sa.Column("import_id", ROW_ID, sa.ForeignKey("catalogue_imports.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("row", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("entry_id", sa.String(80), nullable=False),
        sa.Column("document", DOCUMENT, nullable=False),
        sa.UniqueConstraint("import_id", "entry_id"),
    )


def downgrade() -> None:
    op.drop_table("catalogue_entries")
    op.drop_table("catalogue_imports")
