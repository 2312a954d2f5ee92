-- name: take_waiting
-- Take the oldest payloads of a kind that nobody else is merging.
SELECT id, platform_id, format, body, received_at FROM callback_inbox
WHERE kind = %(kind)s AND merged_at IS NULL
ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED

-- name: mark_merged
-- Say that payloads are merged, or what is wrong with them.
UPDATE callback_inbox i SET merged_at = clock_timestamp(), problem = done.problem
FROM unnest(%(ids)s::bigint[], %(problems)s::text[]) AS done (id, problem)
WHERE i.id = done.id

-- name: forget_payloads
-- Delete payloads that were merged before a time, a bounded number at once; those with a problem
-- are looked into, so they stay longer.
DELETE FROM callback_inbox WHERE id IN (
    SELECT id FROM callback_inbox
    WHERE merged_at < %(before)s AND (problem IS NULL OR merged_at < %(problems_before)s)
    ORDER BY id LIMIT %(limit)s)

-- name: forget_strays
-- Delete the oldest receipts that fit no message, as far as they came before a time.
DELETE FROM stray_receipt WHERE id IN (
    SELECT id FROM (SELECT id, received_at FROM stray_receipt ORDER BY id LIMIT %(limit)s) oldest
    WHERE received_at < %(before)s)

-- name: one_writer
-- Receipts and the end of waiting for them decide about the same rows: one after the other.
SELECT pg_advisory_xact_lock(hashtext('textwave receipts'))

-- name: merge_receipts
-- Give messages of this platform and number their final state, where they have none; what a
-- cancelled campaign has never sent has failed for good, whatever a platform says. The list of
-- ids beside the join tells the planner how few of the partition's rows are meant, in the order in
-- which they are to be locked; it knows no statistics of rows that have just come.
WITH fresh AS (
    UPDATE message m
    SET state = CASE r.cause WHEN '' THEN 'delivered' ELSE 'failed' END,
        cause = nullif(r.cause, ''), finished_at = r.reported_at
    FROM unnest(%(message_ids)s::bigint[], %(mobiles)s::bigint[], %(causes)s::text[],
                %(reported)s::timestamptz[]) AS r (message_id, mobile, cause, reported_at),
         campaign c
    WHERE m.id = r.message_id AND m.id = ANY(%(message_ids)s::bigint[])
      AND (r.mobile IS NULL OR r.mobile = m.mobile)
      AND c.id = m.campaign_id AND c.platform_id = %(platform_id)s
      AND (m.state IS NULL OR m.state IN ('retrying', 'submitted'))
      AND (c.state <> 'cancelled' OR m.state IS NOT NULL OR EXISTS (
              SELECT FROM request q WHERE q.campaign_id = c.id
                AND q.number = (m.id - c.first_message_id) / c.request_size))
    RETURNING m.id, m.campaign_id, m.workspace_id, m.cause
), counted AS (
    SELECT campaign_id, workspace_id, cause, count(*) AS count, min(id) AS first_id,
           max(id) AS last_id, array_agg(id) AS ids
    FROM fresh GROUP BY 1, 2, 3
), noted AS (
    INSERT INTO outcome (workspace_id, campaign_id, kind, cause, first_id, last_id, ids)
    SELECT workspace_id, campaign_id, CASE WHEN cause IS NULL THEN 'delivered' ELSE 'failed' END,
           cause, first_id, last_id, ids
    FROM counted
)
SELECT campaign_id, workspace_id, coalesce(cause, '') AS cause, '' AS was, count
FROM counted

-- name: unmerged_receipts
-- Of receipts that were merged just now: how many meet a failure that was only concluded, and how
-- many no message. Whatever else changed nothing is a duplicate.
SELECT count(*) FILTER (WHERE found.state = 'failed' AND found.cause = ANY(%(concluded)s)) AS late,
       count(*) FILTER (WHERE found.known IS NULL) AS strays
FROM unnest(%(message_ids)s::bigint[], %(mobiles)s::bigint[]) AS r (message_id, mobile)
LEFT JOIN LATERAL (
    SELECT m.state, m.cause, true AS known FROM message m JOIN campaign c ON c.id = m.campaign_id
    WHERE m.id = r.message_id AND m.id = ANY(%(message_ids)s::bigint[])
      AND (r.mobile IS NULL OR r.mobile = m.mobile) AND c.platform_id = %(platform_id)s
) found ON true

-- name: merge_late_receipts
-- A real receipt wins over the silence before it, and over what was concluded in doubt: then the
-- message had been sent after all, which nobody counted.
WITH concluded AS MATERIALIZED (
    SELECT m.id, m.cause FROM message m
    WHERE m.id = ANY(%(message_ids)s::bigint[]) AND m.state = 'failed'
      AND m.cause = ANY(%(concluded)s)
), late AS (
    UPDATE message m
    SET state = CASE r.cause WHEN '' THEN 'delivered' ELSE 'failed' END,
        cause = nullif(r.cause, ''), finished_at = r.reported_at
    FROM unnest(%(message_ids)s::bigint[], %(mobiles)s::bigint[], %(causes)s::text[],
                %(reported)s::timestamptz[]) AS r (message_id, mobile, cause, reported_at),
         campaign c, concluded
    WHERE m.id = r.message_id AND m.id = ANY(%(message_ids)s::bigint[])
      AND (r.mobile IS NULL OR r.mobile = m.mobile)
      AND c.id = m.campaign_id AND c.platform_id = %(platform_id)s
      AND concluded.id = m.id
    RETURNING m.id, m.campaign_id, m.workspace_id, m.cause, concluded.cause AS was
), counted AS (
    SELECT campaign_id, workspace_id, cause, was, count(*) AS count, min(id) AS first_id,
           max(id) AS last_id, array_agg(id) AS ids
    FROM late GROUP BY 1, 2, 3, 4
), noted AS (
    INSERT INTO outcome (workspace_id, campaign_id, kind, cause, first_id, last_id, ids)
    SELECT workspace_id, campaign_id, CASE WHEN cause IS NULL THEN 'delivered' ELSE 'failed' END,
           cause, first_id, last_id, ids
    FROM counted
), sent AS (
    INSERT INTO outcome (workspace_id, campaign_id, kind, first_id, last_id, happened_at)
    SELECT workspace_id, campaign_id, 'sent', lower(span), upper(span) - 1, now()
    FROM (SELECT workspace_id, campaign_id, range_agg(int8range(id, id, '[]')) AS spans
          FROM late WHERE was <> 'no receipt' GROUP BY 1, 2) uncounted, unnest(spans) AS span
)
SELECT campaign_id, workspace_id, coalesce(cause, '') AS cause, was, count
FROM counted

-- name: keep_strays
-- Keep receipts that fit no message of this platform and number.
INSERT INTO stray_receipt (platform_id, message_id, status)
SELECT %(platform_id)s, r.message_id, CASE r.cause WHEN '' THEN 'delivered' ELSE r.cause END
FROM unnest(%(message_ids)s::bigint[], %(mobiles)s::bigint[], %(causes)s::text[])
    AS r (message_id, mobile, cause)
WHERE NOT EXISTS (
    SELECT FROM message m JOIN campaign c ON c.id = m.campaign_id
    WHERE m.id = r.message_id AND m.id = ANY(%(message_ids)s::bigint[])
      AND (r.mobile IS NULL OR r.mobile = m.mobile) AND c.platform_id = %(platform_id)s)

-- name: lock_tallies
-- Lock the counters of several campaigns in one order, so that merges never block each other.
SELECT campaign_id FROM campaign_tally WHERE campaign_id = ANY(%(campaign_ids)s::bigint[])
ORDER BY campaign_id FOR NO KEY UPDATE

-- name: count_finals
-- Count messages that became delivered or failed, or changed from one to the other, and those of
-- them that had been sent unknown to anybody.
UPDATE campaign_tally t SET delivered = t.delivered + n.delivered, failed = t.failed + n.failed,
    submitted = t.submitted + n.submitted
FROM unnest(%(campaign_ids)s::bigint[], %(delivered)s::bigint[], %(failed)s::bigint[],
            %(submitted)s::bigint[])
    AS n (campaign_id, delivered, failed, submitted)
WHERE t.campaign_id = n.campaign_id

-- name: count_causes
-- Count failures by their cause.
INSERT INTO campaign_failure_tally AS t (campaign_id, workspace_id, cause, count)
SELECT * FROM unnest(%(campaign_ids)s::bigint[], %(workspace_ids)s::bigint[], %(causes)s::text[],
                     %(counts)s::bigint[]) AS n (campaign_id, workspace_id, cause, count)
ORDER BY n.campaign_id, n.cause
ON CONFLICT (campaign_id, cause) DO UPDATE SET count = t.count + excluded.count

-- name: uncount_concluded
-- Take back failures that a real receipt replaced.
UPDATE campaign_failure_tally t SET count = t.count - n.count
FROM unnest(%(campaign_ids)s::bigint[], %(causes)s::text[], %(counts)s::bigint[])
    AS n (campaign_id, cause, count)
WHERE t.campaign_id = n.campaign_id AND t.cause = n.cause

-- name: campaigns_waiting
-- Campaigns with messages that are not final and requests old enough to expire.
SELECT c.id, c.workspace_id FROM campaign c JOIN campaign_tally t ON t.campaign_id = c.id
WHERE t.delivered + t.failed < t.messages AND c.started_at < %(accepted_before)s
  AND coalesce(c.completed_at, 'infinity') > %(accepted_after)s
ORDER BY c.id

-- name: expire_requests
-- End the waiting of messages in the next requests of a campaign that were accepted long ago.
-- An attempt 0 speaks for the messages without a state of their own, a later one for the
-- submitted ones among its ids.
WITH due AS MATERIALIZED (
    SELECT number, attempt, first_id, last_id, message_ids FROM request
    WHERE campaign_id = %(campaign_id)s AND workspace_id = %(workspace_id)s
      AND state = 'accepted' AND answered_at < %(accepted_before)s
      AND (number, attempt) > (%(number)s, %(attempt)s)
    ORDER BY number, attempt LIMIT %(limit)s
), first_attempts AS (
    UPDATE message m SET state = 'failed', cause = 'no receipt', finished_at = %(now)s
    FROM due d
    WHERE d.attempt = 0 AND m.id BETWEEN d.first_id AND d.last_id
      AND m.campaign_id = %(campaign_id)s AND m.state IS NULL
    RETURNING m.id
), later_attempts AS (
    UPDATE message m SET state = 'failed', cause = 'no receipt', finished_at = %(now)s
    FROM (SELECT unnest(message_ids) AS id FROM due WHERE attempt > 0) d
    WHERE m.id = d.id AND m.campaign_id = %(campaign_id)s AND m.state = 'submitted'
    RETURNING m.id
), noted AS (
    INSERT INTO outcome (workspace_id, campaign_id, kind, cause, first_id, last_id, ids,
                         happened_at)
    SELECT %(workspace_id)s, %(campaign_id)s, 'failed', 'no receipt', min(id), max(id),
           array_agg(id), least(%(now)s, now())
    FROM (SELECT id FROM first_attempts UNION ALL SELECT id FROM later_attempts) expired
    HAVING count(*) > 0
), newest AS (
    SELECT number, attempt FROM due ORDER BY number DESC, attempt DESC LIMIT 1
)
SELECT number, attempt,
       (SELECT count(*) FROM first_attempts) + (SELECT count(*) FROM later_attempts) AS expired
FROM newest

-- name: take_cursor
-- Move a pull's cursor; no row means that another pull was first.
UPDATE platform SET
    receipts_cursor = CASE %(kind)s WHEN 'receipts' THEN %(next)s ELSE receipts_cursor END,
    replies_cursor = CASE %(kind)s WHEN 'replies' THEN %(next)s ELSE replies_cursor END,
    reviews_cursor = CASE %(kind)s WHEN 'reviews' THEN %(next)s ELSE reviews_cursor END
WHERE id = %(platform_id)s
  AND CASE %(kind)s WHEN 'receipts' THEN receipts_cursor WHEN 'replies' THEN replies_cursor
      ELSE reviews_cursor END = %(after)s
RETURNING id

-- name: cursor
-- Where the last pull of a kind ended.
SELECT CASE %(kind)s WHEN 'receipts' THEN receipts_cursor WHEN 'replies' THEN replies_cursor
    ELSE reviews_cursor END
FROM platform WHERE id = %(platform_id)s

-- name: store_payload
-- Keep a pulled page as if it had been pushed.
SELECT store_callback(%(platform_id)s, %(kind)s, %(body)s, %(format)s)

-- name: signatures_named
-- Signatures of a platform by their names; several workspaces may have the same.
SELECT id, workspace_id, name FROM signature
WHERE platform_id = %(platform_id)s AND name = ANY(%(names)s::text[]) AND state <> 'deleted'
ORDER BY id

-- name: workspaces_of_platform
-- Who may send over a platform.
SELECT workspace_id FROM platform_workspace WHERE platform_id = %(platform_id)s
ORDER BY workspace_id LIMIT 2

-- name: trace_replies
-- The newest message of each signature that each reply can answer. A campaign's messages, or those of each variant,
-- lie in the order of their numbers, so each recent campaign is searched by halving its ranges of
-- ids: two dozen index reads, and no index by number for the planner to pay.
WITH RECURSIVE asked AS (
    SELECT * FROM unnest(%(ordinals)s::int[], %(mobiles)s::bigint[], %(signatures)s::text[],
                         %(times)s::timestamptz[])
        AS a (ordinal, mobile, signature, received_at)
), recent AS MATERIALIZED (
    SELECT c.id, c.workspace_id, c.signature_id, s.name AS signature, c.started_at,
           coalesce(c.completed_at, 'infinity') AS completed_at
    FROM campaign c JOIN signature s ON s.id = c.signature_id
    WHERE c.platform_id = %(platform_id)s AND c.first_message_id IS NOT NULL
      AND c.last_message_id IS NOT NULL
      AND coalesce(c.completed_at, 'infinity') > %(sent_after)s
), search AS (
    SELECT a.ordinal, a.mobile, r.id AS campaign_id,
           i.first_id AS low, i.last_id + 1 AS high, i.last_id AS last
    FROM asked a CROSS JOIN LATERAL (
        SELECT * FROM recent r
        WHERE (a.signature IS NULL OR r.signature = a.signature)
          AND r.started_at <= a.received_at AND r.completed_at > a.received_at - %(window)s
        ORDER BY r.id DESC LIMIT %(campaigns)s) r
    JOIN campaign_span i ON i.campaign_id = r.id
    UNION ALL
    SELECT s.ordinal, s.mobile, s.campaign_id,
           CASE WHEN found.mobile < s.mobile THEN middle + 1 ELSE s.low END,
           CASE WHEN found.mobile < s.mobile THEN s.high ELSE middle END, s.last
    FROM (SELECT *, (low + high) / 2 AS middle FROM search WHERE low < high) s
    LEFT JOIN LATERAL (
        SELECT m.mobile FROM message m WHERE m.id >= s.middle AND m.id <= s.last
        ORDER BY m.id LIMIT 1) found ON true
)
SELECT DISTINCT ON (s.ordinal, r.signature_id) s.ordinal, r.workspace_id, r.signature_id,
       s.campaign_id, found.id AS message_id
FROM search s
JOIN recent r ON r.id = s.campaign_id
CROSS JOIN LATERAL (
    SELECT m.id, m.mobile FROM message m WHERE m.id >= s.low AND m.id <= s.last
    ORDER BY m.id LIMIT 1) found
WHERE s.low = s.high AND found.mobile = s.mobile
ORDER BY s.ordinal, r.signature_id, found.id DESC

-- name: add_replies
-- Keep replies once; those known already are not returned.
WITH kept AS (
    INSERT INTO reply (workspace_id, platform_id, platform_reply_id, signature_id, campaign_id,
                       message_id, mobile, content, intent, received_at, arrived_at)
    SELECT workspace_id, %(platform_id)s, platform_reply_id, signature_id, campaign_id, message_id,
           mobile, content, intent, received_at, arrived_at
    FROM unnest(%(workspace_ids)s::bigint[], %(reply_ids)s::text[], %(signature_ids)s::bigint[],
                %(campaign_ids)s::bigint[], %(message_ids)s::bigint[], %(mobiles)s::bigint[],
                %(contents)s::text[], %(intents)s::text[], %(times)s::timestamptz[],
                %(arrivals)s::timestamptz[])
        AS r (workspace_id, platform_reply_id, signature_id, campaign_id, message_id, mobile,
              content, intent, received_at, arrived_at)
    ON CONFLICT (platform_id, platform_reply_id) DO NOTHING
    RETURNING id, workspace_id, campaign_id, message_id, platform_reply_id
), noted AS (
    INSERT INTO outcome (workspace_id, campaign_id, kind, first_id, last_id, ids)
    SELECT workspace_id, campaign_id, 'replied', min(id), max(id), array_agg(id)
    FROM kept WHERE message_id IS NOT NULL GROUP BY workspace_id, campaign_id
)
SELECT platform_reply_id, id FROM kept

-- name: note_opt_outs
-- Replies that blocked a number which was not blocked before.
INSERT INTO outcome (workspace_id, campaign_id, kind, first_id, last_id, ids)
SELECT workspace_id, campaign_id, 'opted_out', min(id), max(id), array_agg(id)
FROM reply WHERE id = ANY(%(reply_ids)s::bigint[]) AND message_id IS NOT NULL
GROUP BY workspace_id, campaign_id

-- name: count_replies
-- Count replies and the opt-outs that they made.
UPDATE campaign_tally t SET replies = t.replies + n.replies, opt_outs = t.opt_outs + n.opt_outs
FROM unnest(%(campaign_ids)s::bigint[], %(replies)s::bigint[], %(opt_outs)s::bigint[])
    AS n (campaign_id, replies, opt_outs)
WHERE t.campaign_id = n.campaign_id

-- name: replies
-- Replies of a workspace, newest first.
SELECT id, platform_id, platform_reply_id, signature_id, campaign_id, message_id, mobile, content,
       intent, received_at
FROM reply
WHERE workspace_id = %(workspace_id)s
  AND (%(campaign_id)s::bigint IS NULL OR campaign_id = %(campaign_id)s)
  AND (%(intent)s::text IS NULL OR intent = %(intent)s)
  AND (%(after)s::bigint IS NULL OR id < %(after)s)
ORDER BY id DESC LIMIT %(limit)s

-- name: take_clicks
-- Take the oldest raw clicks out of the inbox.
DELETE FROM click_inbox WHERE id = ANY(ARRAY(
    SELECT id FROM click_inbox ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
RETURNING id, link_id, token, method, user_agent, clicked_at

-- name: merge_clicks
-- Keep clicks with the message that their token names, if it is one of the link's workspace and
-- the token was made with that campaign's key. Those of test sends are kept and counted nowhere.
WITH kept AS (
    INSERT INTO click (id, workspace_id, link_id, campaign_id, message_id, human, judged_by,
                       clicked_at)
    SELECT k.id, l.workspace_id, l.id, named.campaign_id, named.id, k.human, k.judged_by,
           k.clicked_at
    FROM unnest(%(ids)s::bigint[], %(link_ids)s::bigint[], %(humans)s::boolean[],
                %(rules)s::text[], %(times)s::timestamptz[])
        AS k (id, link_id, human, judged_by, clicked_at)
    JOIN short_link l ON l.id = k.link_id
    LEFT JOIN (
        SELECT t.click_id, m.id, m.campaign_id, m.workspace_id
        FROM unnest(%(token_clicks)s::bigint[], %(token_messages)s::bigint[],
                    %(token_versions)s::int[]) AS t (click_id, message_id, version)
        JOIN message m ON m.id = t.message_id AND m.id = ANY(%(token_messages)s::bigint[])
        JOIN campaign c ON c.id = m.campaign_id AND c.token_version = t.version
    ) named ON named.click_id = k.id AND named.workspace_id = l.workspace_id
    RETURNING id, workspace_id, campaign_id, message_id, link_id, human, clicked_at
), noted AS (
    INSERT INTO outcome (workspace_id, campaign_id, kind, first_id, last_id, ids)
    SELECT workspace_id, campaign_id, 'clicked', min(id), max(id), array_agg(id)
    FROM kept WHERE message_id IS NOT NULL GROUP BY workspace_id, campaign_id
)
SELECT k.campaign_id, k.message_id, k.link_id, k.human, k.clicked_at
FROM kept k LEFT JOIN campaign c ON c.id = k.campaign_id
WHERE c.purpose IS DISTINCT FROM 'test'

-- name: first_clicks
-- Remember the first human click of each message; return how many had none before.
WITH clicked AS (
    SELECT message_id, min(clicked_at) AS clicked_at
    FROM unnest(%(message_ids)s::bigint[], %(times)s::timestamptz[]) AS k (message_id, clicked_at)
    GROUP BY message_id ORDER BY message_id
), first AS (
    UPDATE message m SET clicked_at = k.clicked_at FROM clicked k
    WHERE m.id = k.message_id AND m.id = ANY(%(message_ids)s::bigint[])
      AND m.clicked_at IS NULL
    RETURNING m.campaign_id
)
SELECT campaign_id, count(*) FROM first GROUP BY campaign_id

-- name: count_clicks
-- Count clicks of campaigns.
UPDATE campaign_tally t SET clicks = t.clicks + n.clicks,
    human_clicks = t.human_clicks + n.human_clicks, clickers = t.clickers + n.clickers
FROM unnest(%(campaign_ids)s::bigint[], %(clicks)s::bigint[], %(human_clicks)s::bigint[],
            %(clickers)s::bigint[]) AS n (campaign_id, clicks, human_clicks, clickers)
WHERE t.campaign_id = n.campaign_id

-- name: count_link_clicks
-- Count clicks of short links, with and without a token.
UPDATE short_link l SET total_clicks = l.total_clicks + n.clicks,
    human_clicks = l.human_clicks + n.human_clicks
FROM unnest(%(link_ids)s::bigint[], %(clicks)s::bigint[], %(human_clicks)s::bigint[])
    AS n (link_id, clicks, human_clicks)
WHERE l.id = n.link_id
