-- Accounts of more than one kind: what signs their calls, and what belongs to their kind alone.

ALTER TABLE platform DROP CONSTRAINT platform_kind_check;
ALTER TABLE platform ADD CONSTRAINT platform_kind_check CHECK (kind IN ('thirdparty', 'aliyun'));
ALTER TABLE platform
    ADD COLUMN key_id text NOT NULL DEFAULT '',
    ADD COLUMN options jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN takes_replies boolean NOT NULL DEFAULT true;
