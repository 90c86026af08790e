"""channels that send: leases and states of the outbox, deliveries, reminders, misunderstood messages

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NEVER_REUSED = {"sqlite_autoincrement": True}


def upgrade() -> None:
    with op.batch_alter_table("inbox", recreate="auto", table_kwargs=NEVER_REUSED) as inbox:
        inbox.create_index("inbox_conversation", ["conversation_id", "received_at"])
        inbox.alter_column("status", existing_type=sa.String(8), type_=sa.String(12), existing_nullable=False)

    with op.batch_alter_table("outbox", recreate="auto", table_kwargs=NEVER_REUSED) as outbox:
        outbox.drop_index("outbox_waiting")
        outbox.add_column(sa.Column("channel", sa.String(16), nullable=False, server_default="web"))
        outbox.add_column(sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
        outbox.add_column(sa.Column("available_at", sa.Float(), nullable=False, server_default="0"))
        outbox.add_column(sa.Column("lease_token", sa.String(32)))
        outbox.add_column(sa.Column("lease_until", sa.Float()))
        outbox.add_column(sa.Column("error", sa.String(64)))
        outbox.alter_column("status", existing_type=sa.String(8), type_=sa.String(12), existing_nullable=False)
    # Until here there was the web chat only; the defaults were for its rows.
    with op.batch_alter_table("outbox", table_kwargs=NEVER_REUSED) as outbox:
        outbox.create_index("outbox_waiting", ["status", "channel", "available_at"])
        for name in ("channel", "attempts", "available_at"):
            outbox.alter_column(name, server_default=None)

    op.create_table(
        "deliveries",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("outbox_id", ROW_ID, sa.ForeignKey("outbox.id", ondelete="CASCADE")),
        sa.Column("part", sa.Integer()),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("provider_id", sa.String(200), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("error", sa.String(64)),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
        sa.UniqueConstraint("channel", "provider_id"),
        sa.UniqueConstraint("outbox_id", "part"),
    )
    op.create_table(
        "provider_resources",
        sa.Column("channel", sa.String(16), primary_key=True),
        sa.Column("key", sa.String(120), primary_key=True),
        sa.Column("resource_id", sa.String(64), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
    )
    op.create_table(
        "reminders",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column(
            "conversation_id",
            sa.String(32),
            sa.ForeignKey("conversations.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False, index=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.UniqueConstraint("conversation_id", "kind"),
    )
    op.create_table(
        "misunderstood",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column(
            "conversation_id",
            sa.String(32),
            sa.ForeignKey("conversations.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.String(8)),
        sa.Column("mixed", sa.Boolean(), nullable=False),
        sa.Column("prompt", sa.String(40)),
        sa.Column("ranking", DOCUMENT, nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("intent", sa.String(40)),
    )


def downgrade() -> None:
    for table in ("misunderstood", "reminders", "provider_resources", "deliveries"):
        op.drop_table(table)
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_index("outbox_waiting")
        for name in ("channel", "attempts", "available_at", "lease_token", "lease_until", "error"):
            outbox.drop_column(name)
        outbox.create_index("outbox_waiting", ["status"])
    with op.batch_alter_table("inbox") as inbox:
        inbox.drop_index("inbox_conversation")
