-- name: add
-- A new draft, named after other things by their names; no row when one of them is missing.
INSERT INTO campaign (workspace_id, name, type, platform_id, signature_id, template_id,
                      audience_id, variables, numbers, created_by)
VALUES (%(workspace_id)s, %(name)s, %(type)s, %(platform_id)s, %(signature_id)s, %(template_id)s,
        %(audience_id)s, %(variables)s, %(numbers)s, %(actor)s)
RETURNING id

-- name: set_quiet
-- What becomes of messages in quiet hours.
UPDATE campaign SET quiet = %(quiet)s
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s

-- name: set_effort
-- Priority and error budget.
UPDATE campaign SET priority = %(priority)s, error_budget_after = %(after)s,
    error_budget_percent = %(percent)s
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s

-- name: add_tally
INSERT INTO campaign_tally (campaign_id, workspace_id) VALUES (%(campaign_id)s, %(workspace_id)s)
ON CONFLICT DO NOTHING

-- name: parts_of_draft
-- What a draft refers to, by name.
SELECT
    (SELECT p.id FROM platform p JOIN platform_workspace pw ON pw.platform_id = p.id
     WHERE p.name = %(platform)s AND pw.workspace_id = %(workspace_id)s
       AND p.retired_at IS NULL) AS platform_id,
    (SELECT s.id FROM signature s JOIN platform p ON p.id = s.platform_id
     WHERE s.workspace_id = %(workspace_id)s AND p.name = %(platform)s
       AND s.name = %(signature)s AND s.state <> 'deleted') AS signature_id,
    (SELECT t.id FROM template t JOIN platform p ON p.id = t.platform_id
     WHERE t.workspace_id = %(workspace_id)s AND p.name = %(platform)s
       AND t.name = %(template)s AND t.state <> 'deleted') AS template_id,
    (SELECT a.id FROM audience a
     WHERE a.workspace_id = %(workspace_id)s AND a.name = %(audience)s
       AND (%(viewer)s::text IS NULL OR a.is_public OR a.created_by = %(viewer)s)) AS audience_id

-- name: campaigns
-- All campaigns of the workspace, newest first.
SELECT c.id, c.workspace_id, c.name, c.type, c.state, c.reason, p.name AS platform,
       s.name AS signature, t.name AS template, a.name AS audience, c.variables,
       c.numbers, c.quiet, c.priority AS rank, c.error_budget_percent, c.error_budget_after,
       c.created_by, c.created_at, c.started_at, c.planned_at, c.completed_at,
       c.scheduled_at, c.due_at, c.late_minutes, c.late_rule, c.window_from, c.window_until,
       c.late_reason, c.window_days, c.spread_minutes, w.time_zone, r.name AS recurrence,
       (SELECT f.name FROM campaign f WHERE f.id = c.copied_from) AS copied_from, c.purpose,
       c.own_text, c.seed, c.control_share_milli, c.control_size, c.test_share_milli, c.winner_by,
       c.winner_after_minutes, c.winner_chosen_at, c.winner_reason,
       ARRAY(SELECT ea.name FROM campaign_exclusion e JOIN audience ea ON ea.id = e.audience_id
             WHERE e.campaign_id = c.id ORDER BY ea.name) AS exclude,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('name', v.name, 'template', vt.name,
                   'share', v.share_milli / 1000.0) ORDER BY v.number), '[]')
        FROM campaign_variant v JOIN template vt ON vt.id = v.template_id
        WHERE v.campaign_id = c.id AND v.number > 0) AS variants,
       (SELECT v.name FROM campaign_variant v
        WHERE v.campaign_id = c.id AND v.number = c.winner) AS winner_name
FROM campaign c
JOIN platform p ON p.id = c.platform_id JOIN signature s ON s.id = c.signature_id
JOIN template t ON t.id = c.template_id JOIN audience a ON a.id = c.audience_id
JOIN workspace w ON w.id = c.workspace_id LEFT JOIN recurrence r ON r.id = c.recurrence_id
WHERE c.workspace_id = %(workspace_id)s
  AND (%(name)s::text IS NULL OR c.name = %(name)s)
  AND (%(name)s::text IS NOT NULL OR c.purpose <> 'test')
  AND (%(state)s::text IS NULL OR c.state = %(state)s)
  AND (%(before)s::bigint IS NULL OR c.id < %(before)s)
ORDER BY c.id DESC LIMIT %(limit)s

-- name: brief
-- Everything that planning and starting a campaign need to know.
SELECT c.id, c.workspace_id, c.name, c.type, c.state, c.variables, c.numbers,
       c.first_message_id, c.last_message_id, c.snapshot_id, c.platform_id, c.template_id,
       c.scheduled_at, c.due_at, c.late_minutes, c.late_rule, c.window_from, c.window_until,
       c.window_days, c.spread_minutes, w.time_zone,
       p.name AS platform, p.kind AS platform_kind, p.capabilities, p.rate_per_second,
       p.max_batch, p.opt_out_text, p.counting, p.currency,
       CASE WHEN c.type = 'digital' AND p.options ? 'digital_price_milli'
           THEN (p.options ->> 'digital_price_milli')::integer ELSE p.price_milli END AS price_milli,
       s.id AS signature_id, s.name AS signature, s.state AS signature_state,
       t.name AS template, t.content AS template_content, t.state AS template_state,
       t.reason AS template_reason, t.type AS template_type,
       t.decided_at AS template_decided_at, c.own_text, c.edited_at,
       a.id AS audience_id, a.name AS audience, a.archived_at IS NOT NULL AS audience_archived,
       a.table_name, tb.customer_column,
       tb.columns AS table_columns, newest.id AS newest_snapshot_id, newest.size AS audience_size,
       newest.computed_at AS audience_computed_at
FROM campaign c
JOIN platform p ON p.id = c.platform_id JOIN signature s ON s.id = c.signature_id
JOIN template t ON t.id = c.template_id JOIN audience a ON a.id = c.audience_id
JOIN workspace w ON w.id = c.workspace_id
LEFT JOIN customer_table tb ON tb.workspace_id = c.workspace_id AND tb.name = a.table_name
LEFT JOIN LATERAL (
    SELECT id, size, computed_at FROM snapshot
    WHERE snapshot.audience_id = a.id AND snapshot.workspace_id = c.workspace_id
    ORDER BY id DESC LIMIT 1
) newest ON true
WHERE c.workspace_id = %(workspace_id)s
  AND (c.name = %(name)s OR c.id = %(campaign_id)s)

-- name: hold_template
-- The campaign's template, held until the start is written: a decision on it waits for that, and
-- then finds the campaign waiting. A start may hand the template over, so two of them queue here.
SELECT t.id FROM template t JOIN campaign c ON c.template_id = t.id
WHERE c.workspace_id = %(workspace_id)s AND c.name = %(name)s
FOR NO KEY UPDATE OF t

-- name: move
-- One move of the lifecycle; no row means somebody was first.
UPDATE campaign SET state = %(state)s, reason = %(reason)s,
    started_at = CASE WHEN %(started)s THEN now() ELSE started_at END,
    completed_at = CASE WHEN %(ended)s THEN now() END,
    due_at = coalesce(%(due_at)s, due_at)
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s AND state = ANY(%(sources)s)
RETURNING id

-- name: lock
-- The campaign's row for the rest of the transaction; batches hold it shared while they prepare.
SELECT state FROM campaign WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s
FOR UPDATE

-- name: note_reason
UPDATE campaign SET reason = %(reason)s
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s

-- name: withdraw_reason
-- What was the reason is not any more.
UPDATE campaign SET reason = ''
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s AND reason = %(reason)s

-- name: waiting_for_template
-- Campaigns that start when this template is decided.
SELECT id, workspace_id, name FROM campaign WHERE template_id = %(template_id)s
  AND state = 'reviewing'

-- name: take_ids
-- A block of message ids of the month, taken atomically.
INSERT INTO id_block (month, next_id) VALUES (%(month)s, %(first_id)s + %(size)s)
ON CONFLICT (month) DO UPDATE SET next_id = id_block.next_id + %(size)s
RETURNING next_id - %(size)s

-- name: freeze
-- What the plan is made from does not change any more.
UPDATE campaign SET snapshot_id = %(snapshot_id)s, content = %(content)s,
    first_message_id = %(first_message_id)s, last_message_id = %(last_message_id)s,
    request_size = %(request_size)s,
    token_version = (SELECT max(version) FROM token_key)
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s AND state = 'planning'

-- name: clear_messages
-- What an interrupted plan left behind.
DELETE FROM message WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
  AND id BETWEEN %(first_id)s AND %(last_id)s

-- name: clear_drops
DELETE FROM message_drop WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
  AND id BETWEEN %(first_id)s AND %(last_id)s

-- name: finish_plan
-- Planned: the numbers are known, sending begins; no row when another plan has taken over, whose
-- block of ids is another one.
UPDATE campaign SET state = 'sending', planned_at = now()
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s AND state = 'planning'
  AND first_message_id = %(first_id)s
RETURNING id

-- name: tally_plan
UPDATE campaign_tally SET audience = %(audience)s, messages = %(messages)s, parts = %(parts)s
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s

-- name: tally_drops
INSERT INTO campaign_drop_tally (campaign_id, workspace_id, reason, count)
SELECT %(campaign_id)s, %(workspace_id)s, reason, count
FROM unnest(%(reasons)s::text[], %(counts)s::bigint[]) AS d(reason, count)
ON CONFLICT (campaign_id, reason) DO UPDATE SET count = excluded.count

-- name: note_drops
-- The drops of a plan, which have the ids at the end of its block, in pieces.
INSERT INTO outcome (workspace_id, campaign_id, kind, first_id, last_id, happened_at)
SELECT workspace_id, id, 'dropped', first_id, least(first_id + 49999, last_message_id), now()
FROM campaign,
     generate_series(last_message_id - %(drops)s + 1, last_message_id, 50000) AS first_id
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s

-- name: add_batches
-- Ranges of ids, one batch each; a batch has messages of one text.
INSERT INTO batch (campaign_id, workspace_id, number, first_id, last_id, variant, due_at)
SELECT %(campaign_id)s, %(workspace_id)s, row_number() OVER (ORDER BY s.place, n) - 1,
       s.first_id + n * %(batch_size)s,
       s.first_id + least((n + 1) * %(batch_size)s, s.messages) - 1, s.variant,
       CASE WHEN s.waits THEN 'infinity' ELSE now() END
FROM unnest(%(variants)s::smallint[], %(firsts)s::bigint[], %(counts)s::bigint[],
            %(waits)s::boolean[]) WITH ORDINALITY
         AS s (variant, first_id, messages, waits, place),
     generate_series(0, (s.messages - 1) / %(batch_size)s) AS n
RETURNING number

-- name: hold_tally
-- Who ends the last batch holds this row: whoever waits for it sees whether there is one left.
SELECT campaign_id FROM campaign_tally
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s FOR NO KEY UPDATE

-- name: open_batches
SELECT number FROM batch WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
  AND state <> 'done' ORDER BY number

-- name: cancel_waiting
-- Batches that never began will not; their messages are failed by the view message_state.
WITH ended AS (
    UPDATE batch SET state = 'done', trouble = 'cancelled', changed_at = now()
    WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s AND state = 'waiting'
    RETURNING first_id, last_id
), noted AS (
    INSERT INTO outcome (workspace_id, campaign_id, kind, cause, first_id, last_id, happened_at)
    SELECT %(workspace_id)s, %(campaign_id)s, 'failed', 'cancelled', first_id, last_id, now()
    FROM ended
)
SELECT coalesce(sum((SELECT count(*) FROM message m
                     WHERE m.id BETWEEN ended.first_id AND ended.last_id
                       AND m.state IS NULL)), 0)::bigint FROM ended

-- name: tally_cancelled
WITH failures AS (
    INSERT INTO campaign_failure_tally (campaign_id, workspace_id, cause, count)
    VALUES (%(campaign_id)s, %(workspace_id)s, 'cancelled', %(count)s)
    ON CONFLICT (campaign_id, cause) DO UPDATE SET
        count = campaign_failure_tally.count + excluded.count
)
UPDATE campaign_tally SET failed = failed + %(count)s
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
