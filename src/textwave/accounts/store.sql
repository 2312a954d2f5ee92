-- name: installation
-- The name of this installation, if it has been founded.
SELECT name FROM installation

-- name: add_installation
-- Name the installation; the name goes into every request's idempotency key.
INSERT INTO installation (name) VALUES (%(name)s) ON CONFLICT DO NOTHING

-- name: add_organization
INSERT INTO organization (name) VALUES (%(name)s) RETURNING id

-- name: add_workspace
INSERT INTO workspace (organization_id, name, time_zone, default_region)
VALUES (%(organization_id)s, %(name)s, %(time_zone)s, %(default_region)s) RETURNING id

-- name: add_api_key
-- A new key; no row when a key of that name is in use.
INSERT INTO api_key (workspace_id, name, digest, is_administrator)
VALUES (%(workspace_id)s, %(name)s, %(digest)s, %(is_administrator)s)
ON CONFLICT (workspace_id, name) WHERE revoked_at IS NULL DO NOTHING
RETURNING id

-- name: api_keys
-- The keys in use; what they open with is not known here.
SELECT id, name, is_administrator, created_at FROM api_key
WHERE workspace_id = %(workspace_id)s AND revoked_at IS NULL ORDER BY id

-- name: revoke_api_key
UPDATE api_key SET revoked_at = now()
WHERE workspace_id = %(workspace_id)s AND name = %(name)s AND revoked_at IS NULL
RETURNING id

-- name: add_token_key
INSERT INTO token_key (version, sealed_secret) VALUES (%(version)s, %(sealed_secret)s)

-- name: token_keys
-- Every key that click tokens may have been made with, newest first.
SELECT version, sealed_secret FROM token_key ORDER BY version DESC

-- name: hold_token_keys
-- One new key at a time.
SELECT pg_advisory_xact_lock(hashtextextended('token keys', 0))

-- name: token_key_versions
SELECT version, created_at FROM token_key ORDER BY version DESC

-- name: who
-- The workspace that an API key opens; works before any workspace is set.
SELECT workspace_id, organization_id, api_key_id, name, is_administrator
FROM workspace_of_api_key(%(digest)s)

-- name: workspace
SELECT id, organization_id, name, time_zone, default_region FROM workspace
WHERE id = %(workspace_id)s

-- name: forget_audit_events
-- Delete the oldest events, as far as they happened before a time.
DELETE FROM audit_event WHERE id IN (
    SELECT id FROM (SELECT id, at FROM audit_event ORDER BY id LIMIT %(limit)s) oldest
    WHERE at < %(before)s)

-- name: add_audit_event
INSERT INTO audit_event (workspace_id, actor, action, object, detail)
VALUES (%(workspace_id)s, %(actor)s, %(action)s, %(object)s, %(detail)s)
