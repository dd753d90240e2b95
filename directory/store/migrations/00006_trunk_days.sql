-- +goose Up

-- What trunks carried out on a day, as all nodes count it.
CREATE TABLE trunk_days (
    trunk   TEXT   NOT NULL,
    day     TEXT   NOT NULL,
    calls   BIGINT NOT NULL,
    seconds BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    PRIMARY KEY (trunk, day)
);
CREATE INDEX trunk_days_day ON trunk_days (day);

-- +goose Down
DROP TABLE trunk_days;
