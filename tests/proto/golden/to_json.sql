-- Makes to_json.txt: needs the enum and the domain of pgoutput.sql. 999999 becomes 0 there.
SET datestyle=ISO; SET timezone=UTC; SET extra_float_digits=3; SET intervalstyle=postgres; SET bytea_output=hex; SET lc_monetary='C';
DROP TABLE IF EXISTS j; CREATE TABLE j (n serial, ty text, txt text, js text);
CREATE OR REPLACE FUNCTION g(ty text, lit text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN EXECUTE format('INSERT INTO j(ty,txt,js) SELECT %L, format(''%%s'', v), to_json(v)::text FROM (SELECT %L::%s AS v) q', ty, lit, ty); END $$;
DO $$ DECLARE r record; BEGIN
FOR r IN SELECT * FROM (VALUES
('bool','t'),('bool','f'),('int2','-32768'),('int4','2147483647'),('int8','9223372036854775807'),('int8','-9223372036854775808'),
('numeric','1.10'),('numeric','NaN'),('numeric','Infinity'),('numeric','-Infinity'),('numeric','0.000000000000000000000001'),('numeric','-123456789012345678901234567890.5'),
('float4','1.1'),('float4','NaN'),('float8','0.30000000000000004'),('float8','1e300'),('float8','1e-7'),('float8','-0'),('float8','Infinity'),('float8','-Infinity'),('float8','123456789012345680'),
('oid','4294967295'),('text',''),('text','plain'),('text',E'q"b\\s/\n\r\t\b\f\x01\x1b\x7f'),('text',E'é€𝄞\u2028'),('text','<script>&'),('varchar','null'),('bpchar','pad  '),('name','nm'),('"char"','c'),
('json','{"b": 1.0, "a" : [1, 2,  {"x":"a b\" c"}], "b":1e400}'),('json',E' {\n\t"k" :\r\n "v\\n w" }  '),('json','null'),('json','"s p"'),('json','  12  '),('json','[]'),('json','"\u0000"'),('json','[true , false , null ]'),('json','{ }'),
('jsonb','{"z": 1.10, "a" : [1, 2, {"x":"a b"}]}'),('jsonb','"x y"'),('jsonb','null'),
('timestamp','2025-06-01 00:00:00'),('timestamp','2025-06-01 12:34:56.789'),('timestamp','infinity'),('timestamp','-infinity'),('timestamp','0044-03-15 12:00:00 BC'),('timestamp','12345-01-02 03:04:05'),('timestamp','294276-12-31 23:59:59.999999'),
('timestamptz','2025-06-01 00:00:00+00'),('timestamptz','2025-06-01 12:34:56.5+02'),('timestamptz','infinity'),('timestamptz','-infinity'),('timestamptz','0044-03-15 12:00:00+00 BC'),('timestamptz','2026-03-29 01:30:00.000001+01'),
('date','2025-06-01'),('date','infinity'),('date','0044-03-15 BC'),('time','24:00:00'),('time','01:02:03.4'),('timetz','01:02:03+05:30'),('interval','1 mon 2 days 03:04:05'),('interval','-1 year'),
('uuid','a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),('bytea','\x00ff'),('bytea',''),('inet','10.0.0.1/8'),('cidr','10.0.0.0/8'),('macaddr','08:00:2b:01:02:03'),('money','12.30'),('bit(3)','101'),('varbit','10'),('xml','<a b="c"/>'),('point','(1,2)'),('box','((1,1),(0,0))'),('int4range','[1,5)'),('tsvector','a b'),('pg_lsn','16/B374D848'),
('int4[]','{}'),('int4[]','{1,NULL,-3}'),('int4[]','{{1,2},{3,4}}'),('int4[]','[2:3]={7,8}'),('int4[]','[0:1][-1:0]={{1,2},{3,4}}'),('int8[]','{9223372036854775807}'),
('text[]','{a,"b c",NULL,"NULL",null,"",x\,y}'),('text[]','{"q\"uote","back\\slash","br{ace}","comma,","new\nline"}'),('text[]',E'{"nl\nx","t\tab"}'),('text[]','{{a,b},{NULL,d}}'),('text[]','{é,"€ 𝄞"}'),('varchar[]','{v,"w w"}'),('bool[]','{t,f,NULL}'),('numeric[]','{1.10,NaN,-0.5}'),('float8[]','{1.5,Infinity,1e-7}'),
('timestamp[]','{"2025-06-01 00:00:00",infinity}'),('timestamptz[]','{"2025-06-01 12:34:56.5+02",NULL}'),('date[]','{2025-06-01}'),('uuid[]','{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'),('json[]','{"{\"a\": [1, 2]}","null",NULL,3}'),('jsonb[]','{"{\"a\": \"x y\"}","[1,2]"}'),('bytea[]','{"\\x00ff"}'),('box[]','{(1,1),(0,0);(3,3),(2,2)}'),('interval[]','{"1 day 02:00:00"}'),('point[]','{"(1,2)","(3,4)"}'),('oid[]','{1,2}'),('inet[]','{10.0.0.1}'),('int4range[]','{"[1,5)"}'),('time[]','{01:02:03}'),('int2[]','{{{{{{1}}}}}}'),
('mood','ok'),('mood[]','{ok,sad}'),('short_text','dom')
) AS v(ty,lit) LOOP PERFORM g(r.ty,r.lit); END LOOP; END $$;
COPY (SELECT CASE WHEN ty IN ('mood','mood[]','short_text') THEN 999999 ELSE (regexp_replace(ty,'\(3\)',''))::regtype::oid::int END, ty, txt, js FROM j ORDER BY n) TO STDOUT;
