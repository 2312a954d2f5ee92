-- What comes back: raw callbacks (durable before they are answered), opt-outs, replies, clicks.

CREATE TABLE callback_inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    platform_id bigint NOT NULL REFERENCES platform,
    kind text NOT NULL CHECK (kind IN ('receipts', 'replies', 'reviews')),
    body bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    merged_at timestamptz,
    problem text
);
CREATE INDEX callback_waiting ON callback_inbox (kind, id) WHERE merged_at IS NULL;

-- Receipts whose message is not known here: kept, so that nothing is lost without a trace.
CREATE TABLE stray_receipt (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    platform_id bigint NOT NULL REFERENCES platform,
    message_id bigint NOT NULL,
    status text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE opt_out (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    signature_id bigint NOT NULL REFERENCES signature,
    mobile bigint NOT NULL,
    source text NOT NULL CHECK (source IN ('reply', 'platform', 'by hand', 'import')),
    evidence text NOT NULL DEFAULT '',
    opted_out_at timestamptz NOT NULL DEFAULT now(),
    lifted_at timestamptz,
    lifted_evidence text
);
CREATE UNIQUE INDEX opt_out_in_force ON opt_out (signature_id, mobile) WHERE lifted_at IS NULL;

CREATE TABLE reply (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    platform_id bigint NOT NULL REFERENCES platform,
    platform_reply_id text NOT NULL,
    signature_id bigint REFERENCES signature,
    campaign_id bigint REFERENCES campaign,
    message_id bigint,
    mobile bigint NOT NULL,
    content text NOT NULL,
    intent text NOT NULL CHECK (intent IN ('opt out', 'leaning', 'other')),
    received_at timestamptz NOT NULL,
    UNIQUE (platform_id, platform_reply_id)
);
CREATE INDEX reply_recent ON reply (workspace_id, id DESC);
CREATE INDEX reply_of_campaign ON reply (campaign_id, id DESC);

CREATE TABLE click_inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    link_id bigint NOT NULL,
    token text NOT NULL,
    method text NOT NULL,
    user_agent text NOT NULL,
    clicked_at timestamptz NOT NULL
);

CREATE TABLE click (
    id bigint PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    link_id bigint NOT NULL REFERENCES short_link,
    campaign_id bigint REFERENCES campaign,
    message_id bigint,
    human boolean NOT NULL,
    judged_by text NOT NULL,
    clicked_at timestamptz NOT NULL
);
CREATE INDEX click_of_campaign ON click (campaign_id, id DESC);

CREATE FUNCTION record_clicks(links bigint[], tokens text[], methods text[], agents text[],
                              times timestamptz[])
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO click_inbox (link_id, token, method, user_agent, clicked_at)
    SELECT * FROM unnest(links, tokens, methods, agents, times)
$$;

CREATE FUNCTION store_callback(platform bigint, kind_of_callback text, raw bytea)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO callback_inbox (platform_id, kind, body)
    VALUES (platform, kind_of_callback, raw) RETURNING id
$$;

-- true: first seen, so the callback may be taken.
CREATE FUNCTION take_nonce(platform bigint, nonce_of_callback text)
RETURNS boolean LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH taken AS (
        INSERT INTO platform_nonce (platform_id, nonce) VALUES (platform, nonce_of_callback)
        ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT EXISTS (SELECT FROM taken)
$$;
