-- Makes pgoutput_*.txt: on a PostgreSQL 15 with wal_level=logical and logical_decoding_work_mem=64kB, run this,
-- then read slots s1 and s2 with pg_logical_slot_peek_binary_changes('s1', NULL, NULL, 'proto_version', '1',
-- 'publication_names', 'p', 'messages', 'true') and, for s2, protocol 2 with 'streaming', 'true'.
CREATE TYPE mood AS ENUM ('sad','ok','happy');
CREATE DOMAIN short_text AS text CHECK (length(value) < 20);
CREATE TABLE item (id bigint PRIMARY KEY, name text, big text, m mood, s short_text, tags text[]);
ALTER TABLE item ALTER COLUMN big SET STORAGE EXTERNAL;
ALTER TABLE item REPLICA IDENTITY FULL;
CREATE TABLE plain (a int PRIMARY KEY, b text);
CREATE TABLE child (x int PRIMARY KEY);
CREATE TABLE nocols ();
ALTER TABLE nocols REPLICA IDENTITY FULL;
CREATE PUBLICATION p FOR ALL TABLES;
SELECT pg_replication_origin_create('upstream');
SELECT 'slot', pg_create_logical_replication_slot('s1','pgoutput');
SELECT 'slot', pg_create_logical_replication_slot('s2','pgoutput');
BEGIN; INSERT INTO item VALUES (1,'one',repeat('x',2100),'ok','dom','{a,"b c",NULL}'); COMMIT;
UPDATE item SET name = NULL WHERE id = 1;
INSERT INTO plain VALUES (1,'é'),(2,NULL);
UPDATE plain SET b = 'two' WHERE a = 2;
UPDATE plain SET a = 3 WHERE a = 2;
DELETE FROM plain WHERE a = 1;
ALTER TABLE plain ADD COLUMN c numeric(10,2) DEFAULT 1.10;
INSERT INTO plain VALUES (4,'four',1.20);
ALTER TABLE plain RENAME COLUMN b TO bee;
UPDATE plain SET bee = '' WHERE a = 4;
DELETE FROM item WHERE id = 1;
INSERT INTO nocols DEFAULT VALUES;
TRUNCATE plain, child RESTART IDENTITY CASCADE;
SELECT pg_logical_emit_message(false,'now','free'), 1;
BEGIN; SELECT pg_logical_emit_message(true,'tx','bound'), 1; INSERT INTO child VALUES (1); COMMIT;
SELECT pg_replication_origin_session_setup('upstream');
BEGIN; SELECT pg_replication_origin_xact_setup('0/ABCDEF01','2025-06-01 00:00:00+00'); INSERT INTO child VALUES (2); COMMIT;
SELECT pg_replication_origin_session_reset();
BEGIN; SELECT pg_logical_emit_message(true,'in','stream'),1; INSERT INTO plain SELECT g, repeat('y',8), NULL FROM generate_series(100,700) g;
SAVEPOINT a; INSERT INTO child SELECT g FROM generate_series(1000,2000) g; ROLLBACK TO a; TRUNCATE child; UPDATE plain SET bee='z' WHERE a=100; DELETE FROM plain WHERE a=101; INSERT INTO item(id,s) VALUES (9,'q'); INSERT INTO plain SELECT g, repeat('y',8), NULL FROM generate_series(800,1400) g; COMMIT;
BEGIN; INSERT INTO plain SELECT g, repeat('y',8), NULL FROM generate_series(2000,2800) g; ROLLBACK;
