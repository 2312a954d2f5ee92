-- Who is left out of a campaign, who is held out, and who gets which of several texts.

ALTER TABLE campaign
    -- what all its draws follow from: the same seed draws the same numbers
    ADD COLUMN seed bigint NOT NULL DEFAULT 0 CHECK (seed >= 0),
    ADD COLUMN control_share_milli smallint CHECK (control_share_milli BETWEEN 1 AND 900),
    ADD COLUMN control_size integer CHECK (control_size > 0),
    ADD CONSTRAINT campaign_one_control
        CHECK (control_share_milli IS NULL OR control_size IS NULL),
    -- how many try the variants; null: everybody gets one of them
    ADD COLUMN test_share_milli smallint CHECK (test_share_milli BETWEEN 1 AND 999),
    ADD COLUMN winner_by text CHECK (winner_by IN ('hand', 'clicks')),
    ADD COLUMN winner_after_minutes integer CHECK (winner_after_minutes > 0),
    ADD CONSTRAINT campaign_winner_has_rule
        CHECK ((test_share_milli IS NULL) = (winner_by IS NULL)
               AND (test_share_milli IS NULL) = (winner_after_minutes IS NULL)),
    -- the number of the variant that the rest gets
    ADD COLUMN winner smallint CHECK (winner > 0),
    ADD COLUMN winner_chosen_at timestamptz,
    ADD COLUMN winner_reason text NOT NULL DEFAULT '';

CREATE INDEX campaign_undecided ON campaign (id)
    WHERE test_share_milli IS NOT NULL AND state IN ('sending', 'paused');

CREATE TABLE campaign_exclusion (
    campaign_id bigint NOT NULL REFERENCES campaign ON DELETE CASCADE,
    audience_id bigint NOT NULL REFERENCES audience,
    workspace_id bigint NOT NULL REFERENCES workspace,
    -- frozen when the plan is made
    snapshot_id bigint REFERENCES snapshot,
    PRIMARY KEY (campaign_id, audience_id)
);
CREATE INDEX exclusion_of_audience ON campaign_exclusion (audience_id);

-- Number 0 is the rest, which waits for the winner and then has its template.
CREATE TABLE campaign_variant (
    campaign_id bigint NOT NULL REFERENCES campaign ON DELETE CASCADE,
    number smallint NOT NULL CHECK (number >= 0),
    workspace_id bigint NOT NULL REFERENCES workspace,
    name text NOT NULL,
    template_id bigint REFERENCES template,
    share_milli smallint NOT NULL CHECK (share_milli BETWEEN 1 AND 1000),
    -- frozen when the plan is made
    content text,
    -- its messages are this range of ids; null: it has none
    first_id bigint,
    last_id bigint,
    -- counted from time to time while the campaign is sent and answered
    messages bigint NOT NULL DEFAULT 0,
    submitted bigint NOT NULL DEFAULT 0,
    delivered bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    clicks bigint NOT NULL DEFAULT 0,
    clickers bigint NOT NULL DEFAULT 0,
    counted_at timestamptz,
    -- the campaign's counters for which that holds
    counted_of text NOT NULL DEFAULT '',
    -- of the rest: up to here its messages have the winner's text
    settled_id bigint,
    PRIMARY KEY (campaign_id, number),
    UNIQUE (campaign_id, name),
    CHECK (number = 0 OR template_id IS NOT NULL),
    CHECK (first_id <= last_id)
);
CREATE INDEX variant_of_template ON campaign_variant (template_id);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['campaign_exclusion', 'campaign_variant'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY of_workspace ON %I TO textwave_web
            USING (workspace_id = current_workspace())
            WITH CHECK (workspace_id = current_workspace())', t);
    END LOOP;
END $$;
GRANT SELECT, INSERT, DELETE ON campaign_exclusion, campaign_variant TO textwave_web;

-- Which text a batch has: a batch never has two.
ALTER TABLE batch ADD COLUMN variant smallint,
    ADD FOREIGN KEY (campaign_id, variant) REFERENCES campaign_variant;

-- Ranges of ids within which a campaign's messages are in the order of their numbers.
CREATE VIEW campaign_span WITH (security_invoker = true) AS
SELECT c.id AS campaign_id, c.workspace_id, coalesce(v.first_id, c.first_message_id) AS first_id,
       coalesce(v.last_id, c.last_message_id) AS last_id
FROM campaign c
LEFT JOIN campaign_variant v ON v.campaign_id = c.id
WHERE c.first_message_id IS NOT NULL AND (v.number IS NULL OR v.first_id IS NOT NULL);
GRANT SELECT ON campaign_span TO textwave_web;
