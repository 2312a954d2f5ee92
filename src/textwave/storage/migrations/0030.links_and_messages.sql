-- Short links under the organization's own domains.

CREATE TABLE link_domain (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organization,
    -- as browsers compare it, with a port that is not usual
    host text NOT NULL UNIQUE CHECK (host ~ '^[a-z0-9._:-]+$' AND length(host) <= 100),
    address text NOT NULL CHECK (address IN ('https://' || host, 'http://' || host)),
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz,
    CHECK (NOT (is_default AND retired_at IS NOT NULL))
);
CREATE UNIQUE INDEX link_domain_default ON link_domain (organization_id) WHERE is_default;
ALTER TABLE link_domain ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_organization ON link_domain TO textwave_web
    USING (organization_id = (SELECT organization_id FROM workspace w
                              WHERE w.id = current_workspace()))
    WITH CHECK (organization_id = (SELECT organization_id FROM workspace w
                                   WHERE w.id = current_workspace()));
GRANT SELECT, INSERT, UPDATE ON link_domain TO textwave_web;

-- What was made before was checked then: it keeps working wherever it leads.
ALTER TABLE short_link
    ADD COLUMN domain_id bigint REFERENCES link_domain,
    ADD COLUMN allows_private boolean NOT NULL DEFAULT true;
ALTER TABLE short_link ALTER COLUMN allows_private SET DEFAULT false;
CREATE INDEX short_link_of_domain ON short_link (domain_id) WHERE domain_id IS NOT NULL;
CREATE INDEX click_of_link ON click (link_id, id DESC);

-- The redirect looks again where a link leads: not to short links of its own organization.
DROP FUNCTION link_target(text);
CREATE FUNCTION link_target(code_of_link text)
RETURNS TABLE (id bigint, workspace_id bigint, long_url text, expires_at timestamptz,
               enabled boolean, allows_private boolean, own_hosts text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.id, l.workspace_id, l.long_url, l.expires_at, l.enabled, l.allows_private,
           ARRAY(SELECT d.host FROM link_domain d JOIN workspace w
                 ON w.organization_id = d.organization_id WHERE w.id = l.workspace_id)
    FROM short_link l WHERE l.code = code_of_link
$$;

-- A new key of click tokens is added beside the old ones.
GRANT INSERT ON token_key TO textwave_web;

-- Single messages: one notification to one number, asked for by a program under a key of its own.
-- Those that wait are gathered into a campaign that stands for them (purpose 'single'); from then on
-- they are messages like all others.
ALTER TABLE campaign
    DROP CONSTRAINT campaign_purpose_check,
    ADD CONSTRAINT campaign_purpose_check CHECK (purpose IN ('marketing', 'test', 'single')),
    ALTER COLUMN audience_id DROP NOT NULL,
    ADD CONSTRAINT campaign_has_audience CHECK (audience_id IS NOT NULL OR purpose = 'single');
CREATE INDEX campaign_of_singles ON campaign (template_id, id DESC) WHERE purpose = 'single';
CREATE INDEX campaign_of_singles_ended ON campaign (completed_at) WHERE purpose = 'single';

CREATE TABLE single_message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    idempotency_key text NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 200),
    body_digest bytea NOT NULL,
    platform_id bigint NOT NULL,
    signature_id bigint NOT NULL REFERENCES signature,
    template_id bigint NOT NULL REFERENCES template,
    mobile bigint NOT NULL,
    variables text[] NOT NULL,
    parts smallint NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- why it was never handed on
    refusal text NOT NULL DEFAULT '',
    campaign_id bigint REFERENCES campaign,
    message_id bigint,
    UNIQUE (workspace_id, idempotency_key),
    CHECK ((campaign_id IS NULL) = (message_id IS NULL)),
    CHECK (refusal = '' OR message_id IS NULL)
);
CREATE INDEX single_message_waiting ON single_message (id) WHERE message_id IS NULL AND refusal = '';
CREATE INDEX single_message_recent ON single_message (workspace_id, id DESC);
CREATE INDEX single_message_old ON single_message (created_at);
-- a campaign that is deleted is looked for here
CREATE INDEX single_message_of_campaign ON single_message (campaign_id)
    WHERE campaign_id IS NOT NULL;
ALTER TABLE single_message ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_workspace ON single_message TO textwave_web
    USING (workspace_id = current_workspace())
    WITH CHECK (workspace_id = current_workspace());
GRANT SELECT, INSERT ON single_message TO textwave_web;
