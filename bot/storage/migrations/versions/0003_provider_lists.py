"""providers' lists of messages: when each was last read, and what of it was erased here

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erased_ids",
        sa.Column("channel", sa.String(16), primary_key=True),
        sa.Column("provider_id", sa.String(200), primary_key=True),
        sa.Column("erased_at", sa.Float(), nullable=False, index=True),
    )
    op.create_table(
        "looks",
        sa.Column("name", sa.String(120), primary_key=True),
        sa.Column("looked_at", sa.Float(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("looks")
    op.drop_table("erased_ids")
