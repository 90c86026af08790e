"""Stand-ins for the providers: they speak the documented wire formats and refuse what the real ones refuse.

In the process of a test or a measurement:

    dice = Dice(Faults(throttled=0.04, failing=0.03, reset=0.02, lost=0.01), seed=1)
    twilio = Twilio(account_sid, auth_token, dice=dice)
    async with serving(twilio.app) as twilio.url:               # TWILIO_API_URL of the bot
        twilio.webhooks = {"whatsapp": f"{bot}/webhooks/whatsapp"}
        delivery = twilio.write("whatsapp", "+212612345678", Written("salam"))
        while not 200 <= await twilio.deliver(delivery) < 300:  # the same message again: the bot was away
            ...
        twilio.ledger.texts("+212612345678")                    # what was taken for this address, in order
        twilio.ledger.counts                                    # accepted, answer lost, fault reset, refused 21610, …

`Aggregator` (sms_http), `Smsc` (smpp) and `Telegram` have the same `dice` and `ledger`; each `Accepted` has its
provider id, and `lost` when the bot was never told that it was taken. Without an event loop of one's own:
`serving.Background`. `python -m tests.simulators` runs all of them with the phone page, as `rafiq run --simulate` does.
"""
