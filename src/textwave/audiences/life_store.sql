-- name: hold
-- One change of the workspace's audiences at a time: what refers to what is decided on firm ground.
SELECT pg_advisory_xact_lock(hashtextextended('audiences of ' || %(workspace_id)s::text, 0))

-- name: uses
-- What each audience's rule names, archived ones too.
SELECT id, name, table_name, refresh, archived_at IS NOT NULL AS archived,
       jsonb_path_query_array(rule, 'strict $.** ? (@.kind == "audience").audience') AS audiences,
       jsonb_path_query_array(rule, 'strict $.** ? (exists (@.model)).model') AS models,
       jsonb_path_query_array(rule, 'strict $.** ? (exists (@.table)).table') AS tables
FROM audience WHERE workspace_id = %(workspace_id)s

-- name: users
-- What cannot do without an audience: rules, models, campaigns under way, recurrences.
SELECT kind, name FROM (
    SELECT 'audience' AS kind, name FROM audience
    WHERE workspace_id = %(workspace_id)s AND archived_at IS NULL AND name <> %(name)s
      AND jsonb_path_exists(rule, 'strict $.** ? (@.kind == "audience" && @.audience == $name)',
                            jsonb_build_object('name', %(name)s::text))
    UNION ALL
    SELECT 'model', name FROM model
    WHERE workspace_id = %(workspace_id)s
      AND jsonb_path_exists(definition,
                            'strict $.** ? (@.kind == "audience" && @.audience == $name)',
                            jsonb_build_object('name', %(name)s::text))
    UNION ALL
    SELECT 'campaign', name FROM campaign
    WHERE workspace_id = %(workspace_id)s
      AND (audience_id = %(audience_id)s
           OR EXISTS (SELECT FROM campaign_exclusion e WHERE e.campaign_id = campaign.id
                        AND e.audience_id = %(audience_id)s))
      AND state IN ('reviewing', 'scheduled', 'planning', 'sending', 'paused')
    UNION ALL
    SELECT 'recurrence', name FROM recurrence
    WHERE workspace_id = %(workspace_id)s AND state <> 'ended' AND draft ->> 'audience' = %(name)s
) found ORDER BY kind, name LIMIT %(limit)s

-- name: edit
-- What was read in that version becomes the next one; no row when somebody was first.
UPDATE audience SET rule = %(rule)s, description = %(description)s, folder = %(folder)s,
    is_public = %(is_public)s, refresh = %(refresh)s, next_refresh_at = %(next_refresh_at)s,
    refresh_failed_at = NULL, refresh_problem = NULL,
    changed_at = now(), version = version + 1
WHERE workspace_id = %(workspace_id)s AND id = %(audience_id)s AND version = %(version)s
RETURNING id

-- name: rename
-- Another name; no row when it is taken.
UPDATE audience SET name = %(new_name)s, changed_at = now(), version = version + 1
WHERE workspace_id = %(workspace_id)s AND id = %(audience_id)s
  AND NOT EXISTS (SELECT FROM audience other
                  WHERE other.workspace_id = %(workspace_id)s AND other.name = %(new_name)s)
RETURNING id

-- name: rules_naming
-- The written rules that name an audience.
SELECT id, name, rule FROM audience
WHERE workspace_id = %(workspace_id)s
  AND jsonb_path_exists(rule, 'strict $.** ? (@.kind == "audience" && @.audience == $name)',
                        jsonb_build_object('name', %(name)s::text))

-- name: rewrite_rules
UPDATE audience SET rule = given.rule, changed_at = now(), version = version + 1
FROM unnest(%(ids)s::bigint[], %(rules)s::jsonb[]) AS given(id, rule)
WHERE audience.workspace_id = %(workspace_id)s AND audience.id = given.id

-- name: archive
UPDATE audience SET archived_at = now(), next_refresh_at = NULL, changed_at = now(),
    version = version + 1
WHERE workspace_id = %(workspace_id)s AND id = %(audience_id)s AND archived_at IS NULL

-- name: unarchive
UPDATE audience SET archived_at = NULL, next_refresh_at = %(next_refresh_at)s, changed_at = now(),
    version = version + 1
WHERE workspace_id = %(workspace_id)s AND id = %(audience_id)s AND archived_at IS NOT NULL

-- name: folders
-- The folders of the audiences that somebody sees, with how many are directly in each.
SELECT folder AS name, count(*)::integer AS audiences FROM audience
WHERE workspace_id = %(workspace_id)s AND archived_at IS NULL
  AND (%(viewer)s::text IS NULL OR is_public OR created_by = %(viewer)s)
GROUP BY folder ORDER BY folder

-- name: snapshots
-- Snapshots of an audience, newest first.
SELECT id, size, lake_version, computed_at, milliseconds, members_removed_at
FROM snapshot WHERE workspace_id = %(workspace_id)s AND audience_id = %(audience_id)s
  AND (%(before)s::bigint IS NULL OR id < %(before)s)
ORDER BY id DESC LIMIT %(limit)s

-- name: due
-- Audiences whose time has come; one worker takes each.
SELECT a.id, a.workspace_id, a.refresh, w.time_zone
FROM audience a JOIN workspace w ON w.id = a.workspace_id
WHERE a.next_refresh_at <= %(now)s AND a.archived_at IS NULL
ORDER BY a.next_refresh_at LIMIT %(limit)s
FOR UPDATE OF a SKIP LOCKED

-- name: set_next_refreshes
UPDATE audience SET next_refresh_at = given.at
FROM unnest(%(ids)s::bigint[], %(times)s::timestamptz[]) AS given(id, at)
WHERE audience.id = given.id

-- name: forgettable
-- Snapshots whose members nobody needs: older than the newest ones and used by no campaign.
SELECT ranked.id FROM (
    SELECT id, row_number() OVER (PARTITION BY audience_id ORDER BY id DESC) AS age
    FROM snapshot WHERE workspace_id = %(workspace_id)s AND members_removed_at IS NULL
) ranked
WHERE ranked.age > %(kept)s
  AND NOT EXISTS (SELECT FROM campaign c
                  WHERE c.workspace_id = %(workspace_id)s AND c.snapshot_id = ranked.id)
  AND NOT EXISTS (SELECT FROM campaign_exclusion e
                  WHERE e.workspace_id = %(workspace_id)s AND e.snapshot_id = ranked.id)
ORDER BY ranked.id LIMIT %(limit)s

-- name: workspaces_with_members
SELECT DISTINCT workspace_id FROM snapshot WHERE members_removed_at IS NULL

-- name: members_removed
UPDATE snapshot SET members_removed_at = now()
WHERE workspace_id = %(workspace_id)s AND id = ANY(%(ids)s) AND members_removed_at IS NULL

-- name: unknown_snapshots
-- Of the ids found in the lake those that no snapshot has. Ids rise, so one that is lower than a
-- snapshot's of before yesterday was taken before that.
SELECT found.id FROM unnest(%(ids)s::bigint[]) AS found(id)
WHERE NOT EXISTS (SELECT FROM snapshot s
                  WHERE s.workspace_id = %(workspace_id)s AND s.id = found.id)
  AND found.id < (SELECT max(id) FROM snapshot WHERE computed_at < %(before)s)
