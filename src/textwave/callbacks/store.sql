-- name: platform_called
-- The platform of a callback's address; works before any workspace is known.
SELECT p.id, %(name)s::text AS name, p.sealed_key, p.callback_signing, p.previous_sealed_key,
    p.previous_key_until, a.takes_replies
FROM callback_platform(%(name)s) p CROSS JOIN callback_account(%(name)s) a
WHERE a.kind = 'thirdparty'

-- name: push_account
-- The account that a path with a secret names.
SELECT id, kind, takes_replies, push_version FROM callback_account(%(name)s)

-- name: take_nonce
-- True when the nonce was not seen before.
SELECT take_nonce(%(platform_id)s, %(nonce)s)

-- name: note_refused
-- At most once in ten seconds: anybody can send what is not let in.
SELECT note_refused_callback(%(platform_id)s, %(problem)s)

-- name: store_callback
-- Keep the body as it came.
SELECT store_callback(%(platform_id)s, %(kind)s, %(body)s, %(format)s)

-- name: forget_nonces
-- Delete nonces that no timestamp within the tolerance can bring again.
DELETE FROM platform_nonce WHERE seen_at < %(before)s
