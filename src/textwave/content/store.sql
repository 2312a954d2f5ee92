-- name: add_template
INSERT INTO template (workspace_id, platform_id, name, type, content, remark, signature)
VALUES (%(workspace_id)s, %(platform_id)s, %(name)s, %(type)s, %(content)s, %(remark)s,
    %(signature)s)
ON CONFLICT (workspace_id, name) WHERE state <> 'deleted' DO NOTHING RETURNING id

-- name: templates
-- A page of a workspace's templates, in the order of their ids.
SELECT t.id, t.workspace_id, t.platform_id, p.name AS platform, t.name, t.type, t.content,
    t.remark, t.signature, t.state, t.reason, t.code, t.created_at, t.turn_at, t.submitted_at,
    t.decided_at
FROM template t JOIN platform p ON p.id = t.platform_id
WHERE t.workspace_id = %(workspace_id)s AND t.state <> 'deleted' AND t.id > %(after)s
    AND (%(name)s::text IS NULL OR t.name = %(name)s)
ORDER BY t.id LIMIT %(limit)s

-- name: template
-- One template by its id, also a deleted one.
SELECT t.id, t.workspace_id, t.platform_id, p.name AS platform, t.name, t.type, t.content,
    t.remark, t.signature, t.state, t.reason, t.code, t.created_at, t.turn_at, t.submitted_at,
    t.decided_at
FROM template t JOIN platform p ON p.id = t.platform_id
WHERE t.workspace_id = %(workspace_id)s AND t.id = %(id)s

-- name: edit_template
-- Change the text; no row means that it is not (or no longer) in a state for that.
UPDATE template SET content = %(content)s, remark = %(remark)s, state = %(state)s, reason = '',
    signature = coalesce(%(signature)s, signature)
WHERE workspace_id = %(workspace_id)s AND id = %(id)s AND state = ANY(%(sources)s)
RETURNING id

-- name: move_template
-- One move by a person; no row means that somebody was first. What is submitted is not yet handed
-- over. Deleting waits until no campaign uses it.
UPDATE template t SET state = %(state)s,
    submitted_at = CASE WHEN %(state)s = 'deleted' THEN submitted_at END,
    turn_at = NULL, asked_at = NULL,
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
UPDATE template SET code = %(code)s, submitted_at = %(now)s, reason = '', turn_at = NULL,
    asked_at = NULL
WHERE workspace_id = %(workspace_id)s AND id = %(id)s AND state = 'reviewing'
    AND submitted_at IS NULL
RETURNING id

-- name: template_delayed
-- Say why the platform does not have the text yet.
UPDATE template SET reason = %(reason)s, turn_at = %(turn_at)s
WHERE workspace_id = %(workspace_id)s AND id = %(id)s AND state = 'reviewing'
    AND submitted_at IS NULL

-- name: reject_template
-- The platform refused to take the text, or does not know it any more.
UPDATE template SET state = %(state)s, reason = %(reason)s, decided_at = %(now)s,
    code = CASE WHEN %(forget_code)s THEN NULL ELSE code END
WHERE workspace_id = %(workspace_id)s AND id = %(id)s AND state = ANY(%(sources)s)
RETURNING workspace_id, id, name, state

-- name: decide_templates
-- What the platform decided, for texts that it has under review. Known by its code alone.
UPDATE template t SET state = %(state)s, reason = d.reason, decided_at = %(now)s
FROM (SELECT unnest(%(names)s::text[]) AS code, unnest(%(reasons)s::text[]) AS reason) d
WHERE t.platform_id = %(platform_id)s AND t.code = d.code AND t.state = ANY(%(sources)s)
    AND t.submitted_at IS NOT NULL AND t.type <> 'digital'
RETURNING t.workspace_id, t.id, t.name, t.state

-- name: to_ask
-- A page of what the platforms are to be asked about, for workers: all workspaces. Each every tenth
-- of the time that its review has taken so far.
SELECT id, workspace_id, platform_id, code AS subject FROM template
WHERE state = 'reviewing' AND submitted_at IS NOT NULL AND code IS NOT NULL AND id > %(after)s
    AND type <> 'digital' AND (asked_at IS NULL OR asked_at + least(greatest((%(now)s - submitted_at) / 10,
        interval '1 second'), interval '10 minutes') <= %(now)s)
ORDER BY id LIMIT %(limit)s

-- name: template_asked
UPDATE template SET asked_at = %(now)s WHERE workspace_id = %(workspace_id)s AND id = %(id)s
