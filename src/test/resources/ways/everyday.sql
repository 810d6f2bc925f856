-- Everyday statements over the table that EverydayStatementsTest makes, one a line.
-- A line that begins with ~ is answered by SQLite only: Calcite's way refuses it.

select meta -> '$.lang' from items
select meta ->> 'lang', meta ->> '$.n' from items where meta ->> 'lang' = 'de'
select '[1,2]' ->> 0
select id from items where name glob 'A*'
select id from items where name not glob 'A*'
select id from items where price isnull
select id from items where price notnull
select id from items where price not null
select id from items where price is not null and price > 2
select id from items order by id limit -1
~ select id from items order by id limit 1*2
select id from items order by id limit 2, 1
~ select id from items order by id limit 1 offset 2-1
select id from items where id in ()
select id from items where id not in ()
select id from main.items
select main.items.id from main.items
select 0x10, 0xFF + 1
select id from items where 1
select id from items where flag
select id from items where not id
select sum(price > 2) from items
select sum(flag) from items
select iif(id > 2, 'a', 'b') from items
select if(id > 2, 'a', 'b') from items
~ select percent_rank() over (order by id) from items
~ select cume_dist() over (order by id) from items
select ntile(2) over (order by id) from items
~ select group_concat(name) over (order by id) from items
select group_concat(name, ';') from items
select string_agg(name, ',') from items
select total(price) from items
select avg(id) from items
select max(id, 2) from items
select min(id, 2, ts) from items
~ select nth_value(name, 2) over (order by id) from items
select lag(name) over (order by id) from items
select lead(name, 2, 'x') over (order by id) from items
select row_number() over (partition by user order by id) from items
select rank() over (order by user), dense_rank() over (order by user) from items
select cast('1.5' as numeric)
select cast('abc' as integer), cast('12abc' as integer), cast('1.9' as integer)
select cast(x'6162' as text)
select cast(5 as text), cast(1.0 as text)
select cast(price as integer) from items
select cast(name as integer) from items
select id from items where flag = 'true'
select user, count(*) from items group by user
select user, count(*) from items group by 1 having count(*) > 1
~ select user, name from items group by user
select substr(date,1,7) as m, count(*) from items group by m order by m
select cat, count(*) from items group by cat
select id from items where cat = 'WEB'
select id from items order by cat, id
select id from items order by name collate nocase
select id from items where name = 'apple pie' collate nocase
select id, name from items where name like 'a%'
select id from items where name like '%an%' escape '\'
select 'a' || null, 'a' || 1, 1 || 2
select 1/2, 1.0/2, 5 % 3, -5 % 3, 5.5 % 2, 1/0
select 7 & 3, 7 | 8, ~1, 1 << 4, 16 >> 2
select not 1, not 0, not null
select 1 = 1, 1 <> 1, 1 == 1, 1 != 2
select 'a' < 'B', 'a' = 'A'
select null is null, 1 is 1, 1 is not 2
select 1 is distinct from 2, null is not distinct from null
select 1 between 0 and 2, 3 not between 0 and 2
select 'abc' like 'A%', 'abc' glob 'a*'
select id in (1,2) from items
select id from items where id in (select id from items where price > 2)
select exists (select 1 from items where id = 9)
select (select max(id) from items)
select (1,2) < (2,1)
select id from items where (id, user) in ((1,'ann'),(2,'x'))
select case id when 1 then 'one' when 2 then 2 else null end from items
select case when price > 2 then 'big' else 0 end from items
select ifnull(price, 'none'), nullif(id, 2), coalesce(null, price, 0) from items
select date('2024-01-31','+1 month'), datetime(0,'unixepoch'), strftime('%Y','2024-05-01'), julianday('2000-01-01')
select id from items where date > date('2024-02-01')
select id from items where date(date) = '2024-01-05'
select strftime('%Y-%m', date) as ym, count(*) from items group by ym
select printf('%05.2f|%s|%d', 3.14159, 'x', 7), format('%d', 3)
select json_extract(meta,'$.lang') from items
select id from items where json_extract(meta,'$.lang') like 'd%'
select key, value from json_each('{"a":1,"b":"x"}')
select value from json_each('[1,2.5,"x",null]')
select i.id, j.value from items i, json_each(i.meta) j
~ select fullkey from json_tree('{"a":[1]}')
select json_group_array(name) from items
select json_group_object(name, id) from items
select json_array(1,null,'a'), json_object('a',1)
select lower(name), upper(name), length(name), trim(name), replace(name,'a','o'), instr(name,'a') from items
select substr(name,2,3), substr(name,-2), substr(name,0,3) from items
select hex(embedding), length(embedding), typeof(embedding) from items where id = 1
select abs(price), round(price), round(price,1), sign(price) from items
select random() is not null
select quote(name), quote(null), quote(1.5), quote(x'01') from items limit 1
select unicode('a'), char(65,66), hex('ab'), unhex('6162')
~ select last_insert_rowid(), changes(), total_changes()
select sqlite_version() is not null
~ select rowid, id from items
~ select i.rowid, oid, _rowid_ from items i
select * from v
select u || 'x', p + 1 from v
select a.id, b.id from items a join items b on a.user = b.user and a.id < b.id
select a.id, b.id from items a left join items b on a.user = b.user and a.id < b.id
select a.id, b.id from items a natural join items b
select id from items a join items b using (id)
select a.id, b.id from items a right join items b on a.id = b.id + 1
select a.id, b.id from items a full join items b on a.id = b.id + 1
select id from items union select ts from items
select id from items union all select 5 order by 1 desc
select id from items intersect select 2
select id from items except select 2
select * from (values (1,'a'),(2,'b'))
~ values (1,2),(3,'x')
~ select column1 from (values (1),(2))
with x as (select 1 as a) select a from x
with x(a,b) as (values (1,2)) select a+b from x
with recursive c(n) as (select 1 union all select n+1 from c where n<5) select n from c
~ with c(n) as (select 1 union all select n+1 from c where n<5) select group_concat(n) from c
with recursive t(n,s) as (select 1,'a' union all select n+1, s||'b' from t where n<4) select * from t
select count(*), count(price), count(distinct user) from items
select sum(price), sum(id), avg(price), min(name), max(name) from items
select sum(id) filter (where price > 2) from items
select user, sum(price) over (partition by user) from items
select sum(id) over (order by id rows between 1 preceding and current row) from items
select sum(id) over (order by id range between 1 preceding and current row) from items
~ select sum(id) over (order by id groups between 1 preceding and current row) from items
select sum(id) over w from items window w as (order by id)
~ select sum(id) over (order by id rows between unbounded preceding and current row exclude current row) from items
~ select max(price), name from items
~ select id as x from items where x > 2
select name n from items order by n
select id from items order by price desc nulls last
select id from items order by price nulls first, id
select id from items order by 1
select [id], `name`, "user" from items
~ select "nosuch" from items
select 'it''s'
select id from items where date between '2024-01-01' and '2024-12-31'
select ts/1000, ts % 10 from items
~ select 9223372036854775807 + 1
select 1e308 * 10, -1e308 * 10
select 1700000000*1000
select 5 / 2.0, 3 * 1.5
select id from items where price = '1.5'
select id from items where id = '2'
select id from items where id > 'a'
select id from items where ts between '1' and '1700000000001'
select name from items where name > 5
~ select count(*) from sqlite_master
~ select name from sqlite_master where type = 'table' order by name
~ select name from pragma_table_info('items')
select true, false, true + 1
select id from items where flag is true
select id from items where flag is not false
select current_date is not null, current_timestamp is not null
select likely(id), unlikely(id) from items
select substring('hello', 2, 3), concat('a', null, 'b'), concat_ws('-', 'a', 'b')
select ceil(1.2), floor(-1.2), trunc(1.7), ln(1), log(100), log2(8), exp(0), pow(2,3), sqrt(16), sqrt(-1), pi()
select mod(5,3), degrees(0), sin(0)
select zeroblob(2), typeof(zeroblob(2))
select octet_length('é'), length('é'), upper('é')
select id from items where (select 1)
select id from items where id = 1 or 0
select -id, +id from items
select - - 5
select id, id from items
select * from items a, items b where a.id = b.id and a.id = 1
~ select median(id) from items
select iif(null, 1, 2)
select count(*) from items where embedding is not null
select max(embedding) from items
select id from items where meta is null
select 1 where 0
select 1 where 1
~ select 'a' 'b'
~ select id from items not indexed
select abs(-9223372036854775807)
select id from items where id % 2
select nullif(1,1) is null
select coalesce(price,0) > 1 from items
select id from items where not exists (select 1 from items i where i.id = items.id + 1)
select unixepoch('2000-01-01'), time('12:00','+1 hour')
select name || ' ' || id from items
select min(price) filter (where id > 1) from items
select cast(null as integer), typeof(null), typeof(1), typeof(1.0), typeof('a'), typeof(x'00')
select json_valid('{}'), json_type('{"a":1}','$.a'), json_array_length('[1,2]')
select x.value from items, json_each(items.meta) x where x.key = 'lang'
select sum(id) over (order by id rows between 2 preceding and 1 preceding) from items
select max(id) over (order by id rows between 2 preceding and 1 preceding) from items
select count(*) over (order by id rows between 2 preceding and 1 preceding) from items
select avg(id) over (order by id rows between 1 following and 2 following) from items
select first_value(id) over (order by id rows between 1 following and 2 following) from items
select sum(price) over (order by id rows between 1 following and 2 following) from items
select id from items where id = 'a'
select id from items where id in ('1','x')
select id from items where name = 5
select id from items where price between '1' and '2'
select id from items where name between 1 and 2
select id from items where ts = date
select a.id from items a join items b on a.id = b.name
select id from items where flag = 'x'
select id from items where id = 1.5
select id from items where id < 1.5
select id from items where embedding = 'x'
select id from items where name = x'41'
select case id when 'a' then 1 else 2 end from items
select nullif(id, 'x') from items
select id from items where id in (select name from items)
select id from items where name in (1,2)
select 'a' < 5, '10' = 10, 5 < 'a'
select id from items where id || '' = 1
select id from items where id + 0 = '1'
select id from items where cast(id as text) = 1
select id from items where id = ' 1 '
select id from items where name < 'b' collate nocase
select id from items where name collate nocase in ('APPLE PIE','BANANA')
select id from items where name collate nocase between 'A' and 'BZ'
select name from items order by name collate nocase desc
~ select max(name collate nocase) from items
~ select name collate nocase as n from items order by n
select a.id, b.id from items a join items b on a.cat = b.name collate nocase
select 2 * 3 || 4
select -id || 'x' from items
select 7 & 3 | 8, 1 + 2 << 3, 6 & 3 + 1
select meta -> '$.lang' ->> '$' from items
select id from items where (meta ->> 'n') + 1 = 3
select id from items where meta ->> 'lang' in ('de','da')
select count(*) from items where not meta ->> 'n'
select ~id, ~(-1) from items where id = 1
select id from items where name glob 'A*' or name glob '*e'
select x.id from main.items x, main.v where v.id = x.id
select main.items.name from items
select -0x10, 0xFFFFFFFFFFFFFFFF, 0x7fffffffffffffff
select 1 as a where 1 union all select 2
select count(*) from (select 1 where 0)
select true + 1, true, 1 + (2 > 1)
select 1 = 2 < 3, 2 > 1 = 1, 1 < 2 = 2 > 1
select 'a' || 1 + 2, 1 + 2 || 3, 3 * '4' || '5'
select 1 = 1 in (1), 5 = 5 like '1'
select 1 & 3 = 1, 1 | 2 > 2, 2 * 3 & 4
select id from items where id = 1 and name like 'A' || '%'
select ~id & 3 from items
select id from items where -id < -2
select sum(id > 1), avg(id > 1), count(id > 5), max(id > 1) from items
select user, sum(id > 1) from items group by user
select id > 1, count(*) from items group by id > 1
select id > 1 as big, count(*) from items group by big
select distinct id > 1 from items
select id from items order by id > 2, id desc
select case when id then 'x' end from items
select id from items where case when id > 2 then 1 else 0 end
select coalesce(null, id > 1) from items
select id from items where exists(select 1) and 1
select a.id from items a join items b on 1 where a.id = b.id
select a.id from items a left join items b on a.id = b.id and b.name where b.id is null
select id from items where (select count(*) from v) > 3
select max(id, 3), min('a', 'b'), max(1, 2.5), max(null, 1) from items
select name, total(price) from items group by name
~ select total(price) filter (where id > 1) from items
select id is null, id is not null from items
select (id = 1) = (name = 'banana') from items
select id from items where (id > 1) = 1
select cast(name as integer) + 1 from items
select cast('12' as numeric) + 1, cast('a' as numeric)
select cast(1.9 as integer), cast(-1.9 as integer), cast(1e30 as integer)
select cast(id as text) || 'x' from items
select round(price) = 2 from items
