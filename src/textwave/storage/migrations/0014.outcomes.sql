-- What came of messages, on its way into the warehouse: written in the transaction that changes the
-- messages, a row a set of them, and deleted when the warehouse has it.

CREATE TABLE outcome (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('sent', 'delivered', 'failed', 'clicked', 'replied',
        'opted_out', 'dropped')),
    -- the cause of a failure
    cause text,
    -- of messages or drops, else of clicks or replies; without a list all that are in the range
    first_id bigint NOT NULL,
    last_id bigint NOT NULL,
    ids bigint[],
    size bigint NOT NULL
        GENERATED ALWAYS AS (coalesce(cardinality(ids), last_id - first_id + 1)) STORED,
    -- when it happened to all of them; null: each row says for itself
    happened_at timestamptz,
    noted_at timestamptz NOT NULL DEFAULT now(),
    CHECK (first_id <= last_id),
    CHECK (ids IS NOT NULL OR kind IN ('sent', 'failed', 'dropped'))
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000
);
-- Lists of shuffled ids do not get smaller by being compressed, only later.
ALTER TABLE outcome ALTER COLUMN ids SET STORAGE EXTERNAL;
CREATE INDEX outcome_waiting ON outcome (workspace_id, id);

-- The export of each workspace: its number, and the outcomes in it while it is under way. A number
-- that the warehouse has already is not written there again.
CREATE TABLE outcome_export (
    workspace_id bigint PRIMARY KEY REFERENCES workspace,
    number bigint NOT NULL DEFAULT 0,
    outcomes bigint[] NOT NULL DEFAULT '{}'
);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['outcome', 'outcome_export'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY of_workspace ON %I TO textwave_web
            USING (workspace_id = current_workspace())
            WITH CHECK (workspace_id = current_workspace())', t);
    END LOOP;
END $$;

CREATE FUNCTION seconds_behind_outcomes() RETURNS float8
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT extract(epoch FROM clock_timestamp() - noted_at)
                     FROM outcome ORDER BY id LIMIT 1), 0)::float8
$$;

-- What is there already, in pieces of 50,000.

-- Sent: the messages of accepted requests, without those that were refused with the answer or that
-- the platform asked to have again.
WITH accepted AS (
    SELECT r.workspace_id, r.campaign_id, r.answered_at, r.number, r.attempt,
           CASE WHEN r.message_ids IS NULL
                THEN int8multirange(int8range(r.first_id, r.last_id, '[]'))
                ELSE (SELECT range_agg(int8range(i, i, '[]')) FROM unnest(r.message_ids) AS i)
           END AS covered,
           (SELECT range_agg(int8range(m.id, m.id, '[]')) FROM message m
            WHERE m.id BETWEEN r.first_id AND r.last_id AND m.campaign_id = r.campaign_id
              AND m.state = 'failed' AND m.finished_at = r.answered_at) AS refused,
           (SELECT range_agg(int8range(i, i, '[]'))
            FROM request later, unnest(later.message_ids) AS i
            WHERE later.campaign_id = r.campaign_id AND later.number = r.number
              AND later.attempt = r.attempt + 1) AS again
    FROM request r WHERE r.state = 'accepted'
)
INSERT INTO outcome (workspace_id, campaign_id, kind, first_id, last_id, happened_at)
SELECT workspace_id, campaign_id, 'sent', lower(span), upper(span) - 1, answered_at
FROM accepted,
     unnest(covered - coalesce(refused, '{}') - coalesce(again, '{}')) AS span
ORDER BY campaign_id, number, attempt;

WITH final AS (
    SELECT workspace_id, campaign_id, state, cause, id,
           (row_number() OVER (PARTITION BY campaign_id, state, cause ORDER BY id) - 1) / 50000
               AS piece
    FROM message WHERE state IN ('delivered', 'failed')
)
INSERT INTO outcome (workspace_id, campaign_id, kind, cause, first_id, last_id, ids)
SELECT workspace_id, campaign_id, state, cause, min(id), max(id), array_agg(id)
FROM final GROUP BY workspace_id, campaign_id, state, cause, piece;

INSERT INTO outcome (workspace_id, campaign_id, kind, cause, first_id, last_id, happened_at)
SELECT workspace_id, campaign_id, 'failed', 'cancelled', first_id, last_id, changed_at
FROM batch WHERE state = 'done' AND trouble = 'cancelled';

WITH dropped AS (
    SELECT d.workspace_id, d.campaign_id, d.id, c.planned_at,
           (row_number() OVER (PARTITION BY d.campaign_id ORDER BY d.id) - 1) / 50000 AS piece
    FROM message_drop d JOIN campaign c ON c.id = d.campaign_id AND c.planned_at IS NOT NULL
)
INSERT INTO outcome (workspace_id, campaign_id, kind, first_id, last_id, ids, happened_at)
SELECT workspace_id, campaign_id, 'dropped', min(id), max(id), array_agg(id), planned_at
FROM dropped GROUP BY workspace_id, campaign_id, planned_at, piece;

WITH answered AS (
    SELECT workspace_id, campaign_id, 'clicked' AS kind, id FROM click
    WHERE message_id IS NOT NULL AND campaign_id IS NOT NULL
    UNION ALL
    SELECT workspace_id, campaign_id, 'replied', id FROM reply
    WHERE message_id IS NOT NULL AND campaign_id IS NOT NULL
    UNION ALL
    SELECT r.workspace_id, r.campaign_id, 'opted_out', r.id FROM reply r
    WHERE r.message_id IS NOT NULL AND r.campaign_id IS NOT NULL AND r.intent = 'opt out'
      AND EXISTS (SELECT FROM opt_out o
                  WHERE o.signature_id = r.signature_id AND o.mobile = r.mobile
                    AND o.source = 'reply' AND o.opted_out_at = r.received_at)
), cut AS (
    SELECT *, (row_number() OVER (PARTITION BY campaign_id, kind ORDER BY id) - 1) / 50000 AS piece
    FROM answered
)
INSERT INTO outcome (workspace_id, campaign_id, kind, first_id, last_id, ids)
SELECT workspace_id, campaign_id, kind, min(id), max(id), array_agg(id)
FROM cut GROUP BY workspace_id, campaign_id, kind, piece;
