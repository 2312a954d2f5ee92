-- name: add_platform
-- Names are the installation's, because callbacks are addressed by them; a taken one adds no row.
INSERT INTO platform (organization_id, name, kind, base_url, sealed_key, capabilities,
    rate_per_second, max_batch, opt_out_text, counting, price_milli, currency, callback_signing,
    receipts, key_id, options, takes_replies)
VALUES (%(organization_id)s, %(name)s, %(kind)s, %(base_url)s, %(sealed_key)s, %(capabilities)s,
    %(rate_per_second)s, %(max_batch)s, %(opt_out_text)s, %(counting)s, %(price_milli)s,
    %(currency)s, %(callback_signing)s, %(receipts)s, %(key_id)s, %(options)s, %(takes_replies)s)
ON CONFLICT (name) DO NOTHING RETURNING id

-- name: admit_workspace
-- Let a workspace use a platform.
INSERT INTO platform_workspace (platform_id, workspace_id)
VALUES (%(platform_id)s, %(workspace_id)s) ON CONFLICT DO NOTHING

-- name: platforms
-- The platforms that a workspace may use.
SELECT p.id, p.organization_id, p.name, p.kind, p.base_url, p.sealed_key, p.capabilities,
    p.rate_per_second, p.max_batch, p.opt_out_text, p.counting, p.price_milli, p.currency,
    p.callback_signing, p.receipts, p.key_id, p.options, p.takes_replies,
    p.push_version, p.resting_until, p.resting_reason
FROM platform p JOIN platform_workspace pw ON pw.platform_id = p.id
WHERE pw.workspace_id = %(workspace_id)s
    AND (%(name)s::text IS NULL OR p.name = %(name)s)
    AND (%(platform_id)s::bigint IS NULL OR p.id = %(platform_id)s)
ORDER BY p.name LIMIT %(limit)s

-- name: platform_account
-- One platform, for workers.
SELECT id, organization_id, name, kind, base_url, sealed_key, capabilities, rate_per_second,
    max_batch, opt_out_text, counting, price_milli, currency, callback_signing, receipts,
    key_id, options, takes_replies, push_version, resting_until, resting_reason
FROM platform WHERE id = %(platform_id)s

-- name: platforms_to_pull
-- Every platform that does not push, for workers.
SELECT id, organization_id, name, kind, base_url, sealed_key, capabilities, rate_per_second,
    max_batch, opt_out_text, counting, price_milli, currency, callback_signing, receipts,
    key_id, options, takes_replies, push_version, resting_until, resting_reason
FROM platform WHERE receipts = 'pull' ORDER BY id

-- name: update_platform
-- Take what the platform said of the account.
UPDATE platform SET rate_per_second = %(rate_per_second)s, max_batch = %(max_batch)s,
    capabilities = %(capabilities)s
WHERE id = %(platform_id)s
