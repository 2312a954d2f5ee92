-- Platforms of the organization; signatures, templates and short links of a workspace.

CREATE TABLE platform (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organization,
    name text NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$'),
    kind text NOT NULL CHECK (kind IN ('thirdparty')),
    base_url text NOT NULL,
    sealed_key bytea NOT NULL,
    capabilities text[] NOT NULL DEFAULT '{}',
    rate_per_second integer NOT NULL CHECK (rate_per_second BETWEEN 1 AND 1000000),
    max_batch integer NOT NULL CHECK (max_batch BETWEEN 1 AND 1000),
    opt_out_text text NOT NULL DEFAULT '',
    counting text NOT NULL CHECK (counting IN ('mainland', 'international')),
    price_milli integer NOT NULL DEFAULT 0 CHECK (price_milli >= 0),
    currency text NOT NULL DEFAULT 'CNY',
    callback_signing text NOT NULL DEFAULT 'strict' CHECK (callback_signing IN ('strict', 'qa')),
    receipts text NOT NULL DEFAULT 'push' CHECK (receipts IN ('push', 'pull')),
    receipts_cursor text NOT NULL DEFAULT '',
    replies_cursor text NOT NULL DEFAULT '',
    -- pacing: when the account is free for the next request; one row, taken atomically
    free_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE platform_workspace (
    platform_id bigint NOT NULL REFERENCES platform,
    workspace_id bigint NOT NULL REFERENCES workspace,
    PRIMARY KEY (workspace_id, platform_id)
);

-- Seen nonces of callbacks, so that a captured one cannot be replayed within the clock tolerance.
CREATE TABLE platform_nonce (
    platform_id bigint NOT NULL REFERENCES platform,
    nonce text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (platform_id, nonce)
);

CREATE TABLE signature (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    platform_id bigint NOT NULL REFERENCES platform,
    name text NOT NULL,
    state text NOT NULL CHECK (state IN ('reviewing', 'approved', 'rejected', 'deleted')),
    reason text NOT NULL DEFAULT '',
    verified boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz
);
CREATE UNIQUE INDEX signature_name ON signature (workspace_id, platform_id, name)
    WHERE state <> 'deleted';

CREATE TABLE template (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    platform_id bigint NOT NULL REFERENCES platform,
    name text NOT NULL,
    type text NOT NULL CHECK (type IN ('promotional', 'notification')),
    content text NOT NULL,
    remark text NOT NULL,
    state text NOT NULL DEFAULT 'draft'
        CHECK (state IN ('draft', 'reviewing', 'approved', 'rejected', 'deleted')),
    reason text NOT NULL DEFAULT '',
    code text,
    created_at timestamptz NOT NULL DEFAULT now(),
    submitted_at timestamptz,
    decided_at timestamptz
);
CREATE UNIQUE INDEX template_name ON template (workspace_id, name) WHERE state <> 'deleted';
CREATE INDEX template_code ON template (platform_id, code);

CREATE TABLE short_link (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    name text NOT NULL,
    code text NOT NULL UNIQUE CHECK (code ~ '^[0-9A-Za-z]{6}$'),
    long_url text NOT NULL,
    expires_at timestamptz NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    total_clicks bigint NOT NULL DEFAULT 0,
    human_clicks bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workspace_id, name)
);

CREATE TABLE token_key (
    version smallint PRIMARY KEY,
    sealed_secret bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- The redirect and the callbacks do not know the workspace before they look up.
CREATE FUNCTION link_target(code_of_link text)
RETURNS TABLE (id bigint, workspace_id bigint, long_url text, expires_at timestamptz, enabled boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id, workspace_id, long_url, expires_at, enabled FROM short_link WHERE code = code_of_link
$$;

CREATE FUNCTION callback_platform(name_of_platform text)
RETURNS TABLE (id bigint, sealed_key bytea, callback_signing text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id, sealed_key, callback_signing FROM platform WHERE name = name_of_platform
$$;
