-- name: set_rules
-- What a campaign's draws follow from.
UPDATE campaign SET seed = %(seed)s, control_share_milli = nullif(%(control_share_milli)s, 0),
    control_size = nullif(%(control_size)s, 0), test_share_milli = %(test_share_milli)s,
    winner_by = %(winner_by)s, winner_after_minutes = %(winner_after_minutes)s
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s

-- name: remove_exclusions
DELETE FROM campaign_exclusion
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s

-- name: remove_variants
DELETE FROM campaign_variant
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s

-- name: audiences_named
-- Audiences by their names, as far as somebody sees them.
SELECT a.id, a.name, a.table_name, a.archived_at IS NOT NULL AS archived FROM audience a
WHERE a.workspace_id = %(workspace_id)s AND a.name = ANY(%(names)s)
  AND (%(viewer)s::text IS NULL OR a.is_public OR a.created_by = %(viewer)s)

-- name: templates_named
-- Templates of a platform by their names.
SELECT id, name, type, content FROM template
WHERE workspace_id = %(workspace_id)s AND platform_id = %(platform_id)s AND name = ANY(%(names)s)
  AND state <> 'deleted'

-- name: add_exclusions
INSERT INTO campaign_exclusion (campaign_id, audience_id, workspace_id)
SELECT %(campaign_id)s, audience_id, %(workspace_id)s
FROM unnest(%(audience_ids)s::bigint[]) AS audience_id

-- name: add_variants
INSERT INTO campaign_variant (campaign_id, number, workspace_id, name, template_id, share_milli)
SELECT %(campaign_id)s, v.number, %(workspace_id)s, v.name, v.template_id, v.share_milli
FROM unnest(%(numbers)s::smallint[], %(names)s::text[], %(template_ids)s::bigint[],
            %(shares)s::smallint[]) AS v (number, name, template_id, share_milli)

-- name: rules
SELECT id AS campaign_id, workspace_id, name, state, seed, control_share_milli, control_size,
       test_share_milli, winner_by, winner_after_minutes, winner, planned_at, platform_id
FROM campaign WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s

-- name: exclusions
-- The excluded audiences, each with the snapshot that is frozen or else the newest.
SELECT a.name, a.table_name, a.archived_at IS NOT NULL AS archived,
       coalesce(e.snapshot_id, (SELECT max(s.id) FROM snapshot s
                                WHERE s.audience_id = a.id AND s.workspace_id = a.workspace_id))
           AS snapshot_id
FROM campaign_exclusion e JOIN audience a ON a.id = e.audience_id
WHERE e.workspace_id = %(workspace_id)s AND e.campaign_id = %(campaign_id)s
ORDER BY a.name

-- name: variants
-- The variants in their order, the rest behind them.
SELECT v.number, v.name, v.share_milli, t.name AS template, t.type AS template_type,
       t.state AS template_state, coalesce(v.content, t.content) AS content, v.first_id, v.last_id
FROM campaign_variant v LEFT JOIN template t ON t.id = v.template_id
WHERE v.workspace_id = %(workspace_id)s AND v.campaign_id = %(campaign_id)s
ORDER BY v.number = 0, v.number

-- name: hold_templates
-- The templates of all variants, as they are until the transaction ends.
SELECT t.id FROM template t JOIN campaign_variant v ON v.template_id = t.id
WHERE v.workspace_id = %(workspace_id)s AND v.campaign_id = %(campaign_id)s
ORDER BY t.id FOR SHARE OF t

-- name: freeze_exclusions
-- From now on the plan excludes these members, whatever is refreshed meanwhile.
UPDATE campaign_exclusion e SET snapshot_id = f.snapshot_id
FROM unnest(%(names)s::text[], %(snapshot_ids)s::bigint[]) AS f (name, snapshot_id)
JOIN audience a ON a.name = f.name AND a.workspace_id = %(workspace_id)s
WHERE e.workspace_id = %(workspace_id)s AND e.campaign_id = %(campaign_id)s
  AND e.audience_id = a.id

-- name: freeze_variants
-- From now on these are the texts.
UPDATE campaign_variant v SET content = f.content
FROM unnest(%(numbers)s::smallint[], %(contents)s::text[]) AS f (number, content)
WHERE v.workspace_id = %(workspace_id)s AND v.campaign_id = %(campaign_id)s AND v.number = f.number

-- name: set_spans
-- Which ids have which text.
UPDATE campaign_variant v SET first_id = f.first_id, last_id = f.last_id, messages = f.messages
FROM unnest(%(numbers)s::smallint[], %(firsts)s::bigint[], %(lasts)s::bigint[],
            %(counts)s::bigint[]) AS f (number, first_id, last_id, messages)
WHERE v.workspace_id = %(workspace_id)s AND v.campaign_id = %(campaign_id)s AND v.number = f.number
