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
    p.push_version, p.resting_until, p.resting_reason, p.retired_at, p.callback_refused_at,
    p.callback_problem, p.previous_key_until
FROM platform p JOIN platform_workspace pw ON pw.platform_id = p.id
WHERE pw.workspace_id = %(workspace_id)s AND p.retired_at IS NULL
    AND (%(name)s::text IS NULL OR p.name = %(name)s)
    AND (%(platform_id)s::bigint IS NULL OR p.id = %(platform_id)s)
ORDER BY p.name LIMIT %(limit)s

-- name: platform_account
-- One platform, for workers.
SELECT id, organization_id, name, kind, base_url, sealed_key, capabilities, rate_per_second,
    max_batch, opt_out_text, counting, price_milli, currency, callback_signing, receipts,
    key_id, options, takes_replies, push_version, resting_until, resting_reason, retired_at,
    callback_refused_at, callback_problem, previous_key_until
FROM platform WHERE id = %(platform_id)s

-- name: platforms_to_pull
-- Every platform that does not push, for workers.
SELECT id, organization_id, name, kind, base_url, sealed_key, capabilities, rate_per_second,
    max_batch, opt_out_text, counting, price_milli, currency, callback_signing, receipts,
    key_id, options, takes_replies, push_version, resting_until, resting_reason, retired_at,
    callback_refused_at, callback_problem, previous_key_until
FROM platform WHERE receipts = 'pull' ORDER BY id

-- name: update_platform
-- Take what the platform said of the account.
UPDATE platform SET rate_per_second = %(rate_per_second)s, max_batch = %(max_batch)s,
    capabilities = %(capabilities)s
WHERE id = %(platform_id)s

-- name: accounts
-- The organization's accounts, for administrators: also those that their workspace may not use.
SELECT id, organization_id, name, kind, base_url, sealed_key, capabilities, rate_per_second,
    max_batch, opt_out_text, counting, price_milli, currency, callback_signing, receipts,
    key_id, options, takes_replies, push_version, resting_until, resting_reason, retired_at,
    callback_refused_at, callback_problem, previous_key_until
FROM platform
WHERE organization_id = %(organization_id)s
    AND (%(name)s::text IS NULL OR name = %(name)s)
ORDER BY retired_at IS NOT NULL, name LIMIT %(limit)s

-- name: account_held
-- An account of the organization, held until the transaction ends: changes happen one by one.
SELECT id FROM platform
WHERE organization_id = %(organization_id)s AND name = %(name)s AND retired_at IS NULL
FOR UPDATE

-- name: edit_platform
-- A new address is tried at once: the rest that the old one got is over.
UPDATE platform SET base_url = %(base_url)s, options = %(options)s,
    capabilities = %(capabilities)s, rate_per_second = %(rate_per_second)s,
    max_batch = %(max_batch)s, opt_out_text = %(opt_out_text)s, counting = %(counting)s,
    price_milli = %(price_milli)s, currency = %(currency)s,
    callback_signing = %(callback_signing)s, receipts = %(receipts)s,
    takes_replies = %(takes_replies)s,
    resting_until = CASE WHEN base_url = %(base_url)s THEN resting_until END,
    resting_reason = CASE WHEN base_url = %(base_url)s THEN resting_reason ELSE '' END
WHERE id = %(platform_id)s

-- name: replace_key
-- The key before signs callbacks for a while; a rest for a wrong key is over.
UPDATE platform SET previous_sealed_key = sealed_key, previous_key_until = %(previous_until)s,
    sealed_key = %(sealed_key)s, key_id = %(key_id)s, resting_until = NULL, resting_reason = ''
WHERE id = %(platform_id)s

-- name: renew_push_address
-- The paths before are worth nothing from now on.
UPDATE platform SET push_version = push_version + 1 WHERE id = %(platform_id)s

-- name: serve_at_once
-- Let what waits for the account go now.
SELECT defer_serving(%(platform_id)s, NULL)

-- name: callback_taken_at
SELECT callback_taken_at(%(platform_id)s)

-- name: workspaces_of_platforms
-- Which workspaces of the organization use which of its accounts.
SELECT platform_id, workspace FROM platform_workspaces() ORDER BY platform_id, workspace

-- name: workspace_called
SELECT workspace_called(%(name)s)

-- name: admit
-- A workspace of the same organization; null when it is admitted already.
SELECT admit_workspace(%(platform_id)s, %(workspace_id)s)

-- name: withdraw
-- Null when it was not admitted.
SELECT withdraw_workspace(%(platform_id)s, %(workspace_id)s)

-- name: campaign_through
-- A campaign under way through the account.
SELECT workspace_id, workspace, name
FROM campaign_through(%(platform_id)s, %(of_workspace)s)

-- name: delete_platform
-- True: it is gone. False: it was used, and is retired.
SELECT delete_platform(%(platform_id)s)
