-- Messages that are dropped because one of their values is longer than the platform takes.
ALTER TABLE message_drop DROP CONSTRAINT message_drop_reason_check;
ALTER TABLE message_drop ADD CONSTRAINT message_drop_reason_check
    CHECK (reason IN ('no number', 'bad number', 'duplicate number', 'opted out',
        'missing variable', 'value too long', 'fatigue', 'quiet hours', 'excluded', 'control group',
        'deny list', 'carrier not approved', 'not on allow list'));
