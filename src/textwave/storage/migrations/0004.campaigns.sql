-- Campaigns, and the bulk rows: messages, drops, batches, requests.
-- A message's id carries its month (see textwave.kit.ids), so the partitions are by id.

CREATE TABLE id_block (
    month date PRIMARY KEY,
    next_id bigint NOT NULL
);

CREATE TABLE campaign (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    name text NOT NULL,
    type text NOT NULL CHECK (type IN ('promotional', 'notification')),
    platform_id bigint NOT NULL REFERENCES platform,
    signature_id bigint NOT NULL REFERENCES signature,
    template_id bigint NOT NULL REFERENCES template,
    audience_id bigint NOT NULL REFERENCES audience,
    variables jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'reviewing', 'rejected',
        'planning', 'sending', 'paused', 'completed', 'cancelled', 'failed')),
    reason text NOT NULL DEFAULT '',
    -- frozen when the plan is made
    snapshot_id bigint REFERENCES snapshot,
    content text,
    token_version smallint REFERENCES token_key,
    first_message_id bigint,
    last_message_id bigint,
    request_size integer,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    planned_at timestamptz,
    completed_at timestamptz,
    UNIQUE (workspace_id, name)
);
CREATE INDEX campaign_of_messages ON campaign (first_message_id) WHERE first_message_id IS NOT NULL;
CREATE INDEX campaign_waiting_for_template ON campaign (template_id) WHERE state = 'reviewing';

-- Counters kept up to date by plan, batch and merge, in the transaction that changes the rows.
CREATE TABLE campaign_tally (
    campaign_id bigint PRIMARY KEY REFERENCES campaign,
    workspace_id bigint NOT NULL REFERENCES workspace,
    audience bigint NOT NULL DEFAULT 0,
    messages bigint NOT NULL DEFAULT 0 CHECK (messages >= 0),
    parts bigint NOT NULL DEFAULT 0,
    submitted bigint NOT NULL DEFAULT 0,
    delivered bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    clicks bigint NOT NULL DEFAULT 0,
    human_clicks bigint NOT NULL DEFAULT 0,
    clickers bigint NOT NULL DEFAULT 0,
    replies bigint NOT NULL DEFAULT 0,
    opt_outs bigint NOT NULL DEFAULT 0,
    CHECK (delivered + failed <= messages)
);

CREATE TABLE campaign_drop_tally (
    campaign_id bigint NOT NULL REFERENCES campaign,
    workspace_id bigint NOT NULL REFERENCES workspace,
    reason text NOT NULL,
    count bigint NOT NULL CHECK (count >= 0),
    PRIMARY KEY (campaign_id, reason)
);

CREATE TABLE campaign_failure_tally (
    campaign_id bigint NOT NULL REFERENCES campaign,
    workspace_id bigint NOT NULL REFERENCES workspace,
    cause text NOT NULL,
    count bigint NOT NULL CHECK (count >= 0),
    PRIMARY KEY (campaign_id, cause)
);

-- state NULL: as the request says that covers the id (see view message_state).
CREATE TABLE message (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    mobile bigint NOT NULL,
    customer text NOT NULL,
    parts smallint NOT NULL,
    variables text[] NOT NULL,
    state text CHECK (state IN ('retrying', 'submitted', 'delivered', 'failed')),
    cause text,
    finished_at timestamptz,
    clicked_at timestamptz,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);

CREATE TABLE message_drop (
    id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    customer text NOT NULL,
    mobile bigint,
    reason text NOT NULL CHECK (reason IN ('no number', 'bad number', 'duplicate number',
        'opted out', 'missing variable')),
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);

-- One job sends one batch. A batch is a range of message ids, cut in mobile-number order.
CREATE TABLE batch (
    campaign_id bigint NOT NULL REFERENCES campaign,
    number integer NOT NULL,
    workspace_id bigint NOT NULL REFERENCES workspace,
    first_id bigint NOT NULL,
    last_id bigint NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'prepared', 'done')),
    attempts integer NOT NULL DEFAULT 0,
    trouble text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (campaign_id, number),
    CHECK (first_id <= last_id)
);
CREATE INDEX batch_open ON batch (campaign_id) WHERE state <> 'done';

-- Written as 'prepared' before it leaves. attempt 0 covers the id range; a later attempt of the
-- same number carries the ids that the platform asked to have again.
CREATE TABLE request (
    campaign_id bigint NOT NULL REFERENCES campaign,
    number integer NOT NULL,
    attempt smallint NOT NULL DEFAULT 0,
    workspace_id bigint NOT NULL REFERENCES workspace,
    batch_number integer NOT NULL,
    first_id bigint NOT NULL,
    last_id bigint NOT NULL,
    message_ids bigint[],
    size integer NOT NULL CHECK (size > 0),
    state text NOT NULL DEFAULT 'prepared'
        CHECK (state IN ('prepared', 'in doubt', 'accepted', 'refused')),
    outcome text NOT NULL DEFAULT '',
    detail text NOT NULL DEFAULT '',
    platform_request_id text NOT NULL DEFAULT '',
    prepared_at timestamptz NOT NULL DEFAULT now(),
    answered_at timestamptz,
    PRIMARY KEY (campaign_id, number, attempt)
);
CREATE INDEX request_open ON request (campaign_id) WHERE state IN ('prepared', 'in doubt');
CREATE INDEX request_of_batch ON request (campaign_id, batch_number);
