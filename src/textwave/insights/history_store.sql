-- name: partitions
-- The months of messages that are in the ledger, as they are named.
SELECT to_date(right(c.relname, 7), 'YYYY_MM') AS month
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'message'::regclass ORDER BY 1

-- name: months
-- What the ledger knows of months that were tried.
SELECT month, tried_at, held_up, sealed_at, dropped_at, cleared_at FROM message_month ORDER BY month

-- name: shown
-- Months of a workspace: what lies in the ledger, what was moved, and what has not ended. The bytes
-- are the workspace's share of the partitions, by rows.
WITH campaigns AS (
    SELECT c.id, c.name, c.first_message_id / %(ids_a_month)s AS number,
           c.state IN ('completed', 'cancelled', 'failed') AS ended,
           coalesce(t.messages, 0) AS messages,
           coalesce(t.messages - t.delivered - t.failed, 0) AS open,
           coalesce((SELECT sum(d.count) FROM campaign_drop_tally d
                     WHERE d.campaign_id = c.id AND d.workspace_id = c.workspace_id), 0) AS drops,
           h.messages AS moved_messages, h.drops AS moved_drops, h.exported_at
    FROM campaign c
    LEFT JOIN campaign_tally t ON t.campaign_id = c.id AND t.workspace_id = c.workspace_id
    LEFT JOIN campaign_history h ON h.campaign_id = c.id AND h.workspace_id = c.workspace_id
    WHERE c.workspace_id = %(workspace_id)s AND c.first_message_id IS NOT NULL
), of_month AS (
    SELECT (DATE '2020-01-01' + make_interval(months => number::integer))::date AS month,
           count(*) AS campaigns, sum(messages)::bigint AS messages, sum(drops)::bigint AS drops,
           sum(open)::bigint AS open_messages,
           coalesce(sum(moved_messages + moved_drops), 0)::bigint AS exported,
           max(exported_at) AS exported_at,
           (array_agg(name ORDER BY id) FILTER (WHERE NOT ended OR open > 0))[1:10] AS waits_for
    FROM campaigns GROUP BY number
), partition AS (
    SELECT to_date(right(c.relname, 7), 'YYYY_MM') AS month,
           sum(pg_total_relation_size(c.oid)) AS bytes, sum(greatest(c.reltuples, 0)) AS rows
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent IN ('message'::regclass, 'message_drop'::regclass) GROUP BY 1
)
SELECT f.month, f.campaigns, f.messages, f.drops, f.open_messages, f.exported, f.exported_at,
       coalesce(f.waits_for, '{}') AS waits_for,
       coalesce(p.bytes * least(1, (f.messages + f.drops) / nullif(p.rows, 0)), p.bytes, 0)::bigint
           AS bytes,
       coalesce(m.held_up, '') AS held_up, m.tried_at, m.dropped_at
FROM of_month f
LEFT JOIN partition p ON p.month = f.month
LEFT JOIN message_month m ON m.month = f.month
ORDER BY f.month DESC LIMIT 240

-- name: add_month
INSERT INTO message_month (month) VALUES (%(month)s) ON CONFLICT DO NOTHING

-- name: held_up
-- What keeps a month here; none when nothing does any more.
UPDATE message_month SET held_up = %(held_up)s, tried_at = now() WHERE month = %(month)s

-- name: unended
-- Whether a campaign of these ids has not ended.
SELECT EXISTS (
    SELECT FROM campaign WHERE first_message_id >= %(first_id)s AND first_message_id < %(end_id)s
      AND state NOT IN ('completed', 'cancelled', 'failed'))

-- name: unended_tally
-- Whether a campaign of these ids has messages that are not final, by its counters.
SELECT EXISTS (
    SELECT FROM campaign c JOIN campaign_tally t ON t.campaign_id = c.id
    WHERE c.first_message_id >= %(first_id)s AND c.first_message_id < %(end_id)s
      AND t.delivered + t.failed < t.messages)

-- name: unexported
-- Whether an outcome of these campaigns is still on its way to the warehouse.
SELECT EXISTS (
    SELECT FROM outcome o JOIN campaign c ON c.id = o.campaign_id
    WHERE c.first_message_id >= %(first_id)s AND c.first_message_id < %(end_id)s)

-- name: open_message
-- Whether a message of these ids is neither delivered nor failed, by the rows themselves.
SELECT EXISTS (
    SELECT FROM message_state WHERE id >= %(first_id)s AND id < %(end_id)s
      AND state NOT IN ('delivered', 'failed'))

-- name: sealed
UPDATE message_month SET sealed_at = now() WHERE month = %(month)s

-- name: unsealed
-- What was copied of a month that may change again does not count.
WITH forgotten AS (DELETE FROM campaign_history WHERE month = %(month)s)
UPDATE message_month SET sealed_at = NULL, held_up = '' WHERE month = %(month)s

-- name: waiting_campaigns
-- Campaigns of these ids that the warehouse has not, in the order of their ids.
SELECT c.id, c.workspace_id, c.first_message_id AS first_id, c.last_message_id AS last_id
FROM campaign c
WHERE c.first_message_id >= %(first_id)s AND c.first_message_id < %(end_id)s
  AND NOT EXISTS (SELECT FROM campaign_history h WHERE h.campaign_id = c.id)
ORDER BY c.workspace_id, c.first_message_id

-- name: add_history
-- The warehouse has these campaigns.
INSERT INTO campaign_history (campaign_id, workspace_id, month, messages, drops, message_digest,
                              drop_digest, lake_version)
SELECT campaign_id, %(workspace_id)s, %(month)s, messages, drops, message_digest, drop_digest,
       %(lake_version)s
FROM unnest(%(campaign_ids)s::bigint[], %(messages)s::bigint[], %(drops)s::bigint[],
            %(message_digests)s::numeric[], %(drop_digests)s::numeric[])
    AS h (campaign_id, messages, drops, message_digest, drop_digest)
ON CONFLICT (campaign_id) DO NOTHING

-- name: copied
-- How many rows of a month the warehouse has.
SELECT coalesce(sum(messages), 0)::bigint, coalesce(sum(drops), 0)::bigint
FROM campaign_history WHERE month = %(month)s

-- name: hold_tables
-- Nobody else may use messages or drops until the end of the transaction, which is short.
LOCK TABLE ONLY message, ONLY message_drop IN ACCESS EXCLUSIVE MODE

-- name: keep_last_answers
-- What reports read from requests, before those go.
UPDATE campaign_tally t SET last_answer_at = r.last_answer_at
FROM (SELECT q.campaign_id, max(q.answered_at) AS last_answer_at
      FROM request q JOIN campaign_history h ON h.campaign_id = q.campaign_id
      WHERE h.month = %(month)s GROUP BY q.campaign_id) r
WHERE t.campaign_id = r.campaign_id

-- name: dropped
UPDATE message_month SET dropped_at = now(), held_up = '', tried_at = now()
WHERE month = %(month)s AND dropped_at IS NULL

-- name: clear_requests
DELETE FROM request r USING (
    SELECT q.campaign_id, q.number, q.attempt
    FROM request q JOIN campaign_history h ON h.campaign_id = q.campaign_id
    WHERE h.month = %(month)s LIMIT %(limit)s) gone
WHERE r.campaign_id = gone.campaign_id AND r.number = gone.number AND r.attempt = gone.attempt

-- name: clear_batches
DELETE FROM batch b USING (
    SELECT q.campaign_id, q.number
    FROM batch q JOIN campaign_history h ON h.campaign_id = q.campaign_id
    WHERE h.month = %(month)s LIMIT %(limit)s) gone
WHERE b.campaign_id = gone.campaign_id AND b.number = gone.number

-- name: clear_clicks
-- The warehouse has each of them as an event.
DELETE FROM click k USING (
    SELECT q.id FROM click q JOIN campaign_history h ON h.campaign_id = q.campaign_id
    WHERE h.month = %(month)s LIMIT %(limit)s) gone
WHERE k.id = gone.id

-- name: clear_nameless_clicks
-- Clicks without a recipient, which their link has counted; the oldest are looked at only.
DELETE FROM click k USING (
    SELECT id, campaign_id, clicked_at FROM click ORDER BY id LIMIT %(limit)s) oldest
WHERE k.id = oldest.id AND oldest.campaign_id IS NULL AND oldest.clicked_at < %(before)s

-- name: cleared
UPDATE message_month SET cleared_at = now() WHERE month = %(month)s

-- name: messages_of
-- A campaign's messages as the history has them; ids are written in.
SELECT m.id AS message_id, m.campaign_id, m.customer, m.mobile, m.parts, m.state,
       coalesce(m.cause, CASE m.state WHEN 'failed' THEN 'cancelled' END) AS cause,
       m.finished_at AT TIME ZONE 'UTC' AS finished_at,
       m.clicked_at AT TIME ZONE 'UTC' AS clicked_at
FROM message_state m
WHERE m.id BETWEEN {first_id} AND {last_id} AND m.campaign_id = {campaign_id}
  AND m.workspace_id = {workspace_id}

-- name: drops_of
-- A campaign's drops as the history has them; ids are written in.
SELECT d.id AS drop_id, d.campaign_id, d.customer, d.mobile, d.reason,
       d.dropped_at AT TIME ZONE 'UTC' AS dropped_at
FROM message_drop d
WHERE d.id BETWEEN {first_id} AND {last_id} AND d.campaign_id = {campaign_id}
  AND d.workspace_id = {workspace_id}

-- name: digest_messages
-- How many messages a campaign has, and their digests: as textwave.insights.history compares them.
SELECT count(*), coalesce(sum(('x' || substr(md5(concat_ws('|', m.id, m.customer,
           m.mobile %% 10000, m.parts, m.state,
           coalesce(m.cause, CASE m.state WHEN 'failed' THEN 'cancelled' ELSE '' END),
           coalesce((extract(epoch FROM m.finished_at) * 1000000)::bigint::text, ''),
           coalesce((extract(epoch FROM m.clicked_at) * 1000000)::bigint::text, ''))), 1, 15)
       )::bit(60)::bigint), 0)
FROM message_state m
WHERE m.id BETWEEN %(first_id)s AND %(last_id)s AND m.campaign_id = %(campaign_id)s
  AND m.workspace_id = %(workspace_id)s

-- name: digest_drops
SELECT count(*), coalesce(sum(('x' || substr(md5(concat_ws('|', d.id, d.customer,
           coalesce((d.mobile %% 10000)::text, ''), d.reason,
           coalesce((extract(epoch FROM d.dropped_at) * 1000000)::bigint::text, ''))), 1, 15)
       )::bit(60)::bigint), 0)
FROM message_drop d
WHERE d.id BETWEEN %(first_id)s AND %(last_id)s AND d.campaign_id = %(campaign_id)s
  AND d.workspace_id = %(workspace_id)s
