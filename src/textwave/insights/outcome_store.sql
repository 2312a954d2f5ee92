-- name: workspaces_waiting
-- Workspaces with outcomes that the warehouse has not.
SELECT w.id FROM workspace w
WHERE EXISTS (SELECT FROM outcome o WHERE o.workspace_id = w.id) ORDER BY w.id

-- name: add_export
-- The row that tells one export of a workspace from the next.
INSERT INTO outcome_export (workspace_id) VALUES (%(workspace_id)s) ON CONFLICT DO NOTHING

-- name: hold_export
-- The workspace's export for this transaction; no row when another has it.
SELECT number, outcomes FROM outcome_export WHERE workspace_id = %(workspace_id)s
FOR UPDATE SKIP LOCKED

-- name: begin_export
-- The next export: the oldest outcomes, about so many messages; no row when nothing waits.
WITH oldest AS (
    SELECT id, size FROM outcome WHERE workspace_id = %(workspace_id)s
    ORDER BY id LIMIT %(sets)s
), measured AS (
    SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM oldest
)
UPDATE outcome_export e SET number = e.number + 1, outcomes = chosen.ids
FROM (SELECT array_agg(id) AS ids FROM measured WHERE before < %(messages)s) chosen
WHERE e.workspace_id = %(workspace_id)s AND chosen.ids IS NOT NULL
RETURNING e.number, e.outcomes

-- name: end_export
-- The warehouse has these outcomes.
WITH ended AS (
    DELETE FROM outcome o USING outcome_export e
    WHERE e.workspace_id = %(workspace_id)s AND o.workspace_id = e.workspace_id
      AND o.id = ANY(e.outcomes)
)
UPDATE outcome_export SET outcomes = '{}' WHERE workspace_id = %(workspace_id)s

-- name: add_to_table
-- The table of events, as rules see it, after an export.
INSERT INTO customer_table AS t (workspace_id, name, kind, columns, customer_column, time_column,
                                 is_system, row_count, lake_version)
VALUES (%(workspace_id)s, %(name)s, 'behaviours', %(columns)s, %(customer_column)s,
        %(time_column)s, true, %(events)s, %(lake_version)s)
ON CONFLICT (workspace_id, name) DO UPDATE SET columns = excluded.columns,
    row_count = t.row_count + excluded.row_count, lake_version = excluded.lake_version,
    updated_at = now()

-- name: events
-- The events of the export under way in workspace $1. A final state that a receipt gave has its
-- own time, which a platform's clock may have put into the future.
WITH noted AS MATERIALIZED (
    SELECT o.* FROM outcome_export e JOIN outcome o ON o.id = ANY(e.outcomes)
    JOIN campaign c ON c.id = o.campaign_id AND c.purpose = 'marketing'
    WHERE e.workspace_id = $1 AND o.workspace_id = $1
), found AS (
    SELECT o.kind, o.campaign_id, o.happened_at, m.id AS message_id, m.customer, m.parts,
           o.cause AS result, NULL::bigint AS link_id
    FROM noted o
    JOIN message m ON m.id BETWEEN o.first_id AND o.last_id AND m.campaign_id = o.campaign_id
    WHERE o.ids IS NULL AND o.kind IN ('sent', 'failed')
    UNION ALL
    SELECT o.kind, o.campaign_id,
           coalesce(o.happened_at, least(m.finished_at, o.noted_at)), m.id, m.customer, m.parts,
           o.cause, NULL
    FROM noted o
    JOIN message m ON m.id = ANY(o.ids) AND m.id BETWEEN o.first_id AND o.last_id
    WHERE o.kind IN ('delivered', 'failed')
    UNION ALL
    SELECT o.kind, o.campaign_id, o.happened_at, d.id, d.customer, NULL, d.reason, NULL
    FROM noted o
    JOIN message_drop d ON d.id BETWEEN o.first_id AND o.last_id AND d.campaign_id = o.campaign_id
    WHERE o.ids IS NULL AND o.kind = 'dropped'
    UNION ALL
    SELECT o.kind, o.campaign_id, o.happened_at, d.id, d.customer, NULL, d.reason, NULL
    FROM noted o
    JOIN message_drop d ON d.id = ANY(o.ids) AND d.id BETWEEN o.first_id AND o.last_id
    WHERE o.kind = 'dropped'
    UNION ALL
    SELECT o.kind, o.campaign_id, least(k.clicked_at, o.noted_at), m.id, m.customer, NULL,
           CASE WHEN k.human THEN 'human' ELSE 'bot' END, k.link_id
    FROM noted o JOIN click k ON k.id = ANY(o.ids) JOIN message m ON m.id = k.message_id
    WHERE o.kind = 'clicked'
    UNION ALL
    SELECT o.kind, o.campaign_id, least(r.received_at, o.noted_at), m.id, m.customer, NULL,
           CASE o.kind WHEN 'replied' THEN r.intent END, NULL
    FROM noted o JOIN reply r ON r.id = ANY(o.ids) JOIN message m ON m.id = r.message_id
    WHERE o.kind IN ('replied', 'opted_out')
)
SELECT f.happened_at AT TIME ZONE 'UTC' AS happened_at, f.kind AS type, f.customer,
       c.name AS campaign, c.id AS campaign_id, f.message_id, c.type AS message_type,
       p.name AS platform, s.name AS signature, t.name AS template, l.name AS link, f.result,
       f.parts::bigint AS parts, e.number AS textwave_export
FROM found f
JOIN outcome_export e ON e.workspace_id = $1
JOIN campaign c ON c.id = f.campaign_id AND c.workspace_id = $1
JOIN platform p ON p.id = c.platform_id
JOIN signature s ON s.id = c.signature_id
LEFT JOIN campaign_variant v ON v.campaign_id = f.campaign_id
    AND f.message_id BETWEEN v.first_id AND v.last_id
JOIN template t ON t.id = coalesce(v.template_id, c.template_id)
LEFT JOIN short_link l ON l.id = f.link_id
