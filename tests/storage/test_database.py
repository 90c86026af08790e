"""What the database refuses is nobody else's to read."""

import pytest
from sqlalchemy.exc import SQLAlchemyError

from bot.storage.models import InboxMessage


def test_an_error_does_not_quote_the_owner(session):
    session.add(InboxMessage(conversation_id="nobody", channel="sms", provider_id="1", kind="text", body="salam khoya"))
    with pytest.raises(SQLAlchemyError) as refused:
        session.commit()
    assert "salam" not in str(refused.value)
