-- What comes back in more than one form, and asking for what is in doubt.

-- The version of the secret in the paths that a platform is pushed to, where it signs nothing.
ALTER TABLE platform ADD COLUMN push_version smallint NOT NULL DEFAULT 1 CHECK (push_version > 0);

-- Bodies stay as they came: each says in whose form. 'pulled': written here, from a pulled page.
ALTER TABLE callback_inbox ADD COLUMN format text NOT NULL DEFAULT 'thirdparty'
    CHECK (format IN ('thirdparty', 'aliyun', 'pulled'));

DROP FUNCTION store_callback(bigint, text, bytea);
CREATE FUNCTION store_callback(platform bigint, kind_of_callback text, raw bytea,
                               format_of_body text DEFAULT 'thirdparty')
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO callback_inbox (platform_id, kind, body, format)
    VALUES (platform, kind_of_callback, raw, format_of_body) RETURNING id
$$;

-- Queues of review notices have a place where the last pull ended, too.
ALTER TABLE platform ADD COLUMN reviews_cursor text NOT NULL DEFAULT '';

-- What a callback's address tells of its account beside the key, before any workspace is known.
CREATE FUNCTION callback_account(name_of_platform text)
RETURNS TABLE (id bigint, kind text, takes_replies boolean, push_version smallint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id, kind, takes_replies, push_version FROM platform WHERE name = name_of_platform
$$;

-- Receipts that name their message by the key of its request and its number.
ALTER TABLE stray_receipt
    ALTER COLUMN message_id DROP NOT NULL,
    ADD COLUMN request_key text,
    ADD COLUMN mobile bigint,
    ADD CONSTRAINT stray_receipt_named CHECK (message_id IS NOT NULL OR request_key IS NOT NULL);

-- What platforms said when they were asked for requests in doubt.
CREATE TABLE doubt_inquiry (
    campaign_id bigint NOT NULL REFERENCES campaign,
    number integer NOT NULL,
    attempt smallint NOT NULL,
    workspace_id bigint NOT NULL REFERENCES workspace,
    asked integer NOT NULL DEFAULT 0,
    asked_at timestamptz NOT NULL,
    -- not asked again before; infinity: never
    due_at timestamptz NOT NULL,
    answer text NOT NULL,
    PRIMARY KEY (campaign_id, number, attempt)
);
ALTER TABLE doubt_inquiry ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON doubt_inquiry TO textwave_web
    USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
GRANT SELECT ON doubt_inquiry TO textwave_web;

-- How often a reply to an extend code came from somebody to whom one signature alone had written:
-- enough of them tell whose code it is. Numbers only; whose replies they were is not here.
CREATE TABLE extend_code (
    platform_id bigint NOT NULL REFERENCES platform ON DELETE CASCADE,
    code text NOT NULL,
    signature_id bigint NOT NULL REFERENCES signature,
    workspace_id bigint NOT NULL REFERENCES workspace,
    seen integer NOT NULL CHECK (seen > 0),
    PRIMARY KEY (platform_id, code, signature_id)
);
ALTER TABLE extend_code ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON extend_code TO textwave_web
    USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
GRANT SELECT ON extend_code TO textwave_web;

-- Parts of messages that were delivered, where each part has a receipt of its own; forgotten when
-- no other part can come any more.
CREATE TABLE delivered_part (
    message_id bigint NOT NULL,
    part smallint NOT NULL CHECK (part > 0),
    platform_id bigint NOT NULL REFERENCES platform ON DELETE CASCADE,
    parts smallint,
    reported_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (message_id, part, platform_id)
);
CREATE INDEX delivered_part_old ON delivered_part (received_at);
