-- Requests of which nobody knows whether the platform took them, and campaigns that stand still.

-- What a person says about a request in doubt; a job carries it out. One word on each request.
CREATE TABLE doubt_settlement (
    campaign_id bigint NOT NULL REFERENCES campaign,
    number integer NOT NULL,
    attempt smallint NOT NULL,
    workspace_id bigint NOT NULL REFERENCES workspace,
    settled_as text NOT NULL CHECK (settled_as IN ('sent', 'not sent', 'send again')),
    settled_by text NOT NULL,
    settled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (campaign_id, number, attempt)
);
ALTER TABLE doubt_settlement ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON doubt_settlement TO textwave_web
    USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
GRANT SELECT, INSERT ON doubt_settlement TO textwave_web;

CREATE INDEX request_in_doubt ON request (workspace_id, campaign_id, number, attempt)
    WHERE state = 'in doubt';

-- The messages of a request. The range of a first attempt may hold others: those that were held
-- back then, and those that a later attempt has taken over.
CREATE FUNCTION messages_of_request(campaign bigint, request_number integer, first bigint,
                                    last bigint, ids bigint[])
RETURNS SETOF message LANGUAGE sql STABLE AS $$
    SELECT m.* FROM message m
    WHERE m.id BETWEEN first AND last AND m.campaign_id = campaign
      AND CASE WHEN ids IS NOT NULL THEN m.id = ANY(ids)
          ELSE m.state IS DISTINCT FROM 'held' AND NOT EXISTS (
              SELECT FROM request later
              WHERE later.campaign_id = campaign AND later.number = request_number
                AND later.attempt > 0 AND m.id = ANY(later.message_ids))
          END
$$;

-- Since when a campaign is in its state, for the limits of states; since when it was seen to stand
-- still; and how often its plan was begun, with what stopped it last.
ALTER TABLE campaign
    ADD COLUMN state_since timestamptz,
    ADD COLUMN stalled_since timestamptz,
    ADD COLUMN plan_attempts smallint NOT NULL DEFAULT 0,
    ADD COLUMN plan_problem text NOT NULL DEFAULT '';
UPDATE campaign SET state_since = coalesce(completed_at, planned_at, started_at, created_at);
ALTER TABLE campaign ALTER COLUMN state_since SET DEFAULT now();
ALTER TABLE campaign ALTER COLUMN state_since SET NOT NULL;

CREATE FUNCTION note_state_since() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.state_since := now();
    NEW.stalled_since := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER state_since BEFORE UPDATE OF state ON campaign
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION note_state_since();
CREATE INDEX campaign_open ON campaign (state, state_since)
    WHERE state IN ('reviewing', 'planning', 'sending', 'paused');

-- A later attempt in doubt has its messages in doubt, too.
CREATE OR REPLACE VIEW message_state WITH (security_invoker = true) AS
SELECT m.id, m.workspace_id, m.campaign_id, m.mobile, m.customer, m.parts, m.cause,
       m.finished_at, m.clicked_at,
       CASE
           WHEN m.state = 'held' AND c.state = 'cancelled' THEN 'failed'
           WHEN m.state = 'retrying' AND EXISTS (
               SELECT FROM request d
               WHERE d.workspace_id = m.workspace_id AND d.campaign_id = m.campaign_id
                 AND d.number = (m.id - c.first_message_id) / c.request_size
                 AND d.state = 'in doubt' AND m.id = ANY(d.message_ids)
           ) THEN 'in doubt'
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

-- The web login sees no jobs and no other workspace's rows; these answer for it with numbers only.
CREATE FUNCTION seconds_since_worker() RETURNS float8
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT extract(epoch FROM clock_timestamp() - max(last_heartbeat))::float8
    FROM procrastinate_workers
$$;

CREATE FUNCTION standing_still()
RETURNS TABLE (requests_in_doubt bigint, campaigns_stalled bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (SELECT count(*) FROM request WHERE state = 'in doubt'),
           (SELECT count(*) FROM campaign WHERE state = 'sending' AND stalled_since IS NOT NULL)
$$;
