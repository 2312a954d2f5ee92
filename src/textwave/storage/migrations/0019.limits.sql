-- What a person gets at most: sending policy, holidays, fatigue rules, allowlist, and the touches
-- that fatigue counts. A message may be held until its recipient's quiet hours are over.

CREATE TABLE sending_policy (
    workspace_id bigint PRIMARY KEY REFERENCES workspace,
    counts_by text NOT NULL DEFAULT 'number' CHECK (counts_by IN ('number', 'customer')),
    -- touches are written with their customer; counting by customer needs those of 30 days
    keeps_customers boolean NOT NULL DEFAULT false,
    quiet_from time,
    quiet_until time,
    quiet_zone text NOT NULL DEFAULT 'workspace' CHECK (quiet_zone IN ('workspace', 'recipient')),
    CHECK ((quiet_from IS NULL) = (quiet_until IS NULL)),
    CHECK (quiet_from <> quiet_until),
    CHECK (counts_by = 'number' OR keeps_customers)
);

-- Local times, of the workspace or of each recipient as the policy says.
CREATE TABLE holiday (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    name text NOT NULL,
    begins timestamp NOT NULL,
    ends timestamp NOT NULL,
    UNIQUE (workspace_id, name),
    CHECK (begins < ends)
);

-- Null: no limit in that window.
CREATE TABLE fatigue_rule (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    name text NOT NULL,
    is_global boolean NOT NULL,
    per_minute integer CHECK (per_minute > 0),
    per_hour integer CHECK (per_hour > 0),
    per_day integer CHECK (per_day > 0),
    per_week integer CHECK (per_week > 0),
    per_month integer CHECK (per_month > 0),
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, name)
);
CREATE UNIQUE INDEX fatigue_rule_global ON fatigue_rule (workspace_id) WHERE is_global;

CREATE TABLE fatigue_rule_signature (
    signature_id bigint PRIMARY KEY REFERENCES signature,
    rule_id bigint NOT NULL REFERENCES fatigue_rule ON DELETE CASCADE,
    workspace_id bigint NOT NULL REFERENCES workspace
);
CREATE INDEX fatigue_rule_signature_rule ON fatigue_rule_signature (rule_id);

-- Whoever counts and writes touches of a workspace holds its row: one at a time, and in the order
-- of their times, which never go back.
CREATE TABLE touch_clock (
    workspace_id bigint PRIMARY KEY REFERENCES workspace,
    touched_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);
INSERT INTO touch_clock (workspace_id) SELECT id FROM workspace;

-- One marketing message that was prepared for somebody. By weeks, which are dropped as a whole.
CREATE TABLE touch (
    workspace_id bigint NOT NULL,
    mobile bigint NOT NULL,
    -- of the customer, while the workspace keeps customers
    customer_key bigint,
    signature_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    message_id bigint NOT NULL,
    touched_at timestamptz NOT NULL
) PARTITION BY RANGE (touched_at);
CREATE INDEX touch_of_number ON touch (workspace_id, mobile, touched_at) INCLUDE (signature_id);
CREATE INDEX touch_of_customer ON touch (workspace_id, customer_key, touched_at)
    INCLUDE (signature_id) WHERE customer_key IS NOT NULL;
-- What no week was made for; it stays empty as long as housekeeping runs.
CREATE TABLE touch_other PARTITION OF touch DEFAULT;

CREATE TABLE allowlist_audience (
    workspace_id bigint NOT NULL REFERENCES workspace,
    audience_id bigint NOT NULL REFERENCES audience,
    -- the newest snapshot whose numbers are on the list
    snapshot_id bigint REFERENCES snapshot,
    numbers integer NOT NULL DEFAULT 0,
    problem text NOT NULL DEFAULT '',
    added_by text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, audience_id)
);

CREATE TABLE allowlist_number (
    workspace_id bigint NOT NULL,
    audience_id bigint NOT NULL,
    mobile bigint NOT NULL,
    PRIMARY KEY (workspace_id, mobile, audience_id),
    FOREIGN KEY (workspace_id, audience_id) REFERENCES allowlist_audience ON DELETE CASCADE
);
CREATE INDEX allowlist_number_audience ON allowlist_number (workspace_id, audience_id);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['sending_policy', 'holiday', 'fatigue_rule', 'fatigue_rule_signature',
                             'touch_clock', 'touch', 'allowlist_audience', 'allowlist_number'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY of_workspace ON %I TO textwave_web
            USING (workspace_id = current_workspace())
            WITH CHECK (workspace_id = current_workspace())', t);
    END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON sending_policy, touch_clock TO textwave_web;
GRANT SELECT, INSERT, UPDATE, DELETE ON holiday, fatigue_rule, fatigue_rule_signature,
    allowlist_audience TO textwave_web;
GRANT SELECT, DELETE ON allowlist_number TO textwave_web;
GRANT SELECT ON touch TO textwave_web;

ALTER TABLE campaign
    ADD COLUMN quiet text NOT NULL DEFAULT 'wait' CHECK (quiet IN ('drop', 'wait'));

ALTER TABLE message_drop DROP CONSTRAINT message_drop_reason_check;
ALTER TABLE message_drop ADD CONSTRAINT message_drop_reason_check
    CHECK (reason IN ('no number', 'bad number', 'duplicate number', 'opted out',
        'missing variable', 'fatigue', 'quiet hours', 'excluded', 'control group', 'deny list',
        'carrier not approved', 'not on allow list'));

ALTER TABLE message DROP CONSTRAINT message_state_check;
ALTER TABLE message ADD CONSTRAINT message_state_check
    CHECK (state IN ('held', 'retrying', 'submitted', 'delivered', 'failed'));

-- What a cancelled campaign still holds has failed, like what it had not sent.
CREATE OR REPLACE VIEW message_state WITH (security_invoker = true) AS
SELECT m.id, m.workspace_id, m.campaign_id, m.mobile, m.customer, m.parts, m.cause,
       m.finished_at, m.clicked_at,
       CASE
           WHEN m.state = 'held' AND c.state = 'cancelled' THEN 'failed'
           WHEN m.state IS NOT NULL THEN m.state
           ELSE CASE r.state
               WHEN 'accepted' THEN 'submitted'
               WHEN 'in doubt' THEN 'in doubt'
               WHEN 'prepared' THEN 'prepared'
               ELSE CASE c.state WHEN 'cancelled' THEN 'failed' ELSE 'planned' END
           END
       END AS state
FROM message m
JOIN campaign c ON c.id = m.campaign_id
LEFT JOIN request r ON r.campaign_id = m.campaign_id AND r.attempt = 0
    AND r.number = (m.id - c.first_message_id) / c.request_size;
