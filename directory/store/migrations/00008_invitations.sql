-- +goose Up

-- Whom meetings have called when they started, or are calling.
CREATE TABLE invitations (
    meeting TEXT    NOT NULL,
    starts  BIGINT  NOT NULL,
    target  TEXT    NOT NULL,
    node    TEXT    NOT NULL,
    attempt INTEGER NOT NULL,
    due     BIGINT  NOT NULL,
    settled INTEGER NOT NULL,
    PRIMARY KEY (meeting, starts, target)
);
CREATE INDEX invitations_starts ON invitations (starts);

-- +goose Down
DROP TABLE invitations;
