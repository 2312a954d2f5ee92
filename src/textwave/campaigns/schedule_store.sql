-- name: edit
-- What a draft says, anew.
UPDATE campaign SET name = %(name)s, type = %(type)s, platform_id = %(platform_id)s,
    signature_id = %(signature_id)s, template_id = %(template_id)s,
    audience_id = %(audience_id)s, variables = %(variables)s, numbers = %(numbers)s,
    edited_at = now()
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s

-- name: write_timing
-- When a draft starts and when its messages may leave.
UPDATE campaign SET scheduled_at = %(scheduled_at)s, late_minutes = %(late_minutes)s,
    late_rule = %(late_rule)s, window_from = %(window_from)s, window_until = %(window_until)s,
    window_days = %(window_days)s, spread_minutes = %(spread_minutes)s
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s

-- name: set_time
-- The time of a campaign.
UPDATE campaign SET scheduled_at = %(scheduled_at)s, late_minutes = %(late_minutes)s,
    late_rule = %(late_rule)s
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s

-- name: forget_time
-- Without a time a campaign starts whenever it is started.
UPDATE campaign SET scheduled_at = NULL, due_at = NULL
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s

-- name: note_late
-- Why a start was late; it is not cleared when the campaign goes on.
UPDATE campaign SET late_reason = %(reason)s
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s

-- name: delete
-- A campaign that has sent nothing.
DELETE FROM campaign
WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s

-- name: due
-- Scheduled campaigns whose time has come.
SELECT id, workspace_id, name FROM campaign
WHERE state = 'scheduled' AND due_at <= %(now)s ORDER BY due_at LIMIT %(limit)s

-- name: time_zone
SELECT time_zone FROM workspace WHERE id = %(workspace_id)s

-- name: waiting_batches
-- Batches that wait for nothing but their time.
SELECT number, (last_id - first_id + 1)::integer AS size, variant FROM batch
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s AND state = 'waiting'
  AND due_at < 'infinity'
ORDER BY number

-- name: set_due
UPDATE batch SET due_at = given.at
FROM unnest(%(numbers)s::integer[], %(times)s::timestamptz[]) AS given(number, at)
WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
  AND batch.number = given.number AND state = 'waiting'
