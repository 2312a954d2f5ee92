-- name: add_template
INSERT INTO template (workspace_id, platform_id, name, type, content, remark)
VALUES (%(workspace_id)s, %(platform_id)s, %(name)s, %(type)s, %(content)s, %(remark)s)
ON CONFLICT (workspace_id, name) WHERE state <> 'deleted' DO NOTHING RETURNING id

-- name: templates
-- A page of a workspace's templates, in the order of their ids.
SELECT t.id, t.workspace_id, t.platform_id, p.name AS platform, t.name, t.type, t.content,
    t.remark, t.state, t.reason, t.code, t.created_at, t.submitted_at, t.decided_at
FROM template t JOIN platform p ON p.id = t.platform_id
WHERE t.workspace_id = %(workspace_id)s AND t.state <> 'deleted' AND t.id > %(after)s
    AND (%(name)s::text IS NULL OR t.name = %(name)s)
ORDER BY t.id LIMIT %(limit)s

-- name: template
-- One template by its id, also a deleted one.
SELECT t.id, t.workspace_id, t.platform_id, p.name AS platform, t.name, t.type, t.content,
    t.remark, t.state, t.reason, t.code, t.created_at, t.submitted_at, t.decided_at
FROM template t JOIN platform p ON p.id = t.platform_id
WHERE t.workspace_id = %(workspace_id)s AND t.id = %(id)s

-- name: edit_template
-- Change the text; no row means that it is not (or no longer) in a state for that.
UPDATE template SET content = %(content)s, remark = %(remark)s, state = %(state)s, reason = ''
WHERE workspace_id = %(workspace_id)s AND id = %(id)s AND state = ANY(%(sources)s)
RETURNING id

-- name: move_template
-- One move by a person; no row means that somebody was first. What is submitted is not yet handed
-- over. Deleting waits until no campaign uses it.
UPDATE template t SET state = %(state)s,
    submitted_at = CASE WHEN %(state)s = 'deleted' THEN submitted_at END,
    decided_at = CASE WHEN %(state)s = 'deleted' THEN decided_at END,
    reason = CASE WHEN %(state)s = 'deleted' THEN reason ELSE '' END
WHERE t.workspace_id = %(workspace_id)s AND t.id = %(id)s AND t.state = ANY(%(sources)s)
    AND NOT (%(state)s = 'deleted' AND EXISTS (
        SELECT FROM campaign c WHERE c.workspace_id = t.workspace_id
            AND (c.template_id = t.id OR EXISTS (
                SELECT FROM campaign_variant v WHERE v.campaign_id = c.id AND v.template_id = t.id))
            AND c.state IN ('reviewing', 'scheduled', 'planning', 'sending', 'paused')))
RETURNING t.id

-- name: campaign_using_template
SELECT name FROM campaign WHERE workspace_id = %(workspace_id)s
    AND (template_id = %(id)s OR EXISTS (
        SELECT FROM campaign_variant v WHERE v.campaign_id = campaign.id AND v.template_id = %(id)s))
    AND state IN ('reviewing', 'scheduled', 'planning', 'sending', 'paused') ORDER BY id LIMIT 1

-- name: template_handed_over
-- The platform has the text; from here on its review counts.
UPDATE template SET code = %(code)s, submitted_at = %(now)s, reason = ''
WHERE workspace_id = %(workspace_id)s AND id = %(id)s AND state = 'reviewing'
    AND submitted_at IS NULL
RETURNING id

-- name: template_delayed
-- Say why the platform does not have the text yet.
UPDATE template SET reason = %(reason)s
WHERE workspace_id = %(workspace_id)s AND id = %(id)s AND state = 'reviewing'
    AND submitted_at IS NULL

-- name: reject_template
-- The platform refused to take the text, or does not know it any more.
UPDATE template SET state = %(state)s, reason = %(reason)s, decided_at = %(now)s,
    code = CASE WHEN %(forget_code)s THEN NULL ELSE code END
WHERE workspace_id = %(workspace_id)s AND id = %(id)s AND state = ANY(%(sources)s)
RETURNING workspace_id, id, name, state

-- name: decide_templates
-- What the platform decided, for templates that it has under review. Known by its code alone.
UPDATE template t SET state = %(state)s, reason = d.reason, decided_at = %(now)s
FROM (SELECT unnest(%(names)s::text[]) AS code, unnest(%(reasons)s::text[]) AS reason) d
WHERE t.platform_id = %(platform_id)s AND t.code = d.code AND t.state = ANY(%(sources)s)
    AND t.submitted_at IS NOT NULL
RETURNING t.workspace_id, t.id, t.name, t.state

-- name: under_review
-- A page of what the platforms are to be asked about, for workers: all workspaces.
SELECT id, workspace_id, platform_id, name AS subject FROM signature
WHERE %(kind)s = 'signature' AND state = 'reviewing' AND id > %(after)s
UNION ALL
SELECT id, workspace_id, platform_id, code AS subject FROM template
WHERE %(kind)s = 'template' AND state = 'reviewing' AND submitted_at IS NOT NULL
    AND code IS NOT NULL AND id > %(after)s
ORDER BY id LIMIT %(limit)s

-- name: add_link
-- Codes are the installation's, names the workspace's; a taken one adds no row.
INSERT INTO short_link (workspace_id, name, code, long_url, expires_at)
VALUES (%(workspace_id)s, %(name)s, %(code)s, %(long_url)s, %(expires_at)s)
ON CONFLICT DO NOTHING
RETURNING id, workspace_id, name, code, long_url, expires_at, enabled, total_clicks,
    human_clicks, created_at

-- name: links
-- A page of a workspace's short links, in the order of their ids.
SELECT id, workspace_id, name, code, long_url, expires_at, enabled, total_clicks, human_clicks,
    created_at
FROM short_link
WHERE workspace_id = %(workspace_id)s AND id > %(after)s
    AND (%(name)s::text IS NULL OR name = %(name)s)
ORDER BY id LIMIT %(limit)s

-- name: links_of_codes
SELECT id, workspace_id, name, code, long_url, expires_at, enabled, total_clicks, human_clicks,
    created_at
FROM short_link WHERE workspace_id = %(workspace_id)s AND code = ANY(%(codes)s)

-- name: switch_link
-- Turn a link on or off.
UPDATE short_link SET enabled = %(enabled)s
WHERE workspace_id = %(workspace_id)s AND name = %(name)s AND enabled <> %(enabled)s
RETURNING id
