-- +goose Up

-- Events on their way to webhooks. What was delivered is deleted; what was given
-- up stays, state dead.
CREATE TABLE deliveries (
    id       TEXT   PRIMARY KEY,
    webhook  TEXT   NOT NULL,
    lane     TEXT   NOT NULL,
    node     TEXT   NOT NULL,
    type     TEXT   NOT NULL,
    body     TEXT   NOT NULL,
    state    TEXT   NOT NULL,
    attempts BIGINT NOT NULL,
    due      BIGINT NOT NULL,
    error    TEXT   NOT NULL,
    created  BIGINT NOT NULL
);
CREATE INDEX deliveries_lane ON deliveries (node, state, webhook, lane, id);
CREATE INDEX deliveries_webhook ON deliveries (webhook, state, id);

-- +goose Down
DROP TABLE deliveries;
