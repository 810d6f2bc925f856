-- Values of columns whose affinity is NUMERIC, and comparisons of columns of all affinities: one statement a line.
-- {one} is nothing, or a table of another source with one row that the statement joins.
select ok from {one}c order by id
select ok, typeof(ok) from {one}m order by id
select d, typeof(d) from {one}m order by id
select d, typeof(d) from {one}t order by id
select sum(ok) from {one}c
select avg(ok) from {one}c
select total(ok) from {one}c
select count(ok), sum(ok > 0) from {one}c
select ok + 1 from {one}c
select id from {one}c where ok = '1'
select id from {one}c where ok > 0
select id from {one}c where ok in (0)
select id from {one}c where ok in (1, 0)
select id from {one}c where ok
select id from {one}c where not ok
select id from {one}c where ok = 1
select id from {one}c where ok = true
select id from {one}c where ok is true
select max(ok), min(ok) from {one}c
select max(ok), typeof(max(ok)) from {one}m
select min(ok) from {one}m
select sum(ok) from {one}m
select sum(d), avg(d) from {one}c
select sum(d), avg(d), total(d) from {one}t
select id from {one}t where d = '19000'
select id from {one}t where d = 19000
select id from {one}t where d = n
select id from {one}t where d = s
select id from {one}t where d = ts
select id from {one}t where d > n
select id from {one}t where d >= x
select id from {one}t where d < s
select id from {one}t where d > '2024-01'
select d from {one}t order by d
select ts from {one}t order by ts, id
select min(d), max(d), typeof(min(d)) from {one}t
select typeof(p), p, typeof(q), q from {one}t
select a.id, b.id from {one}t a join t b on a.s = b.n
select a.id, b.id from {one}t a join t b on a.s = b.x
select a.id, b.id from {one}t a join t b on a.s = b.d
select a.id, b.id from {one}t a join t b on a.u = b.n
select a.id, b.id from {one}t a join t b on a.u = b.s
select a.id, b.id from {one}t a join t b on a.p = b.s
select a.id, b.id from {one}t a join t b on a.q = b.s
select a.id, b.id from {one}t a join t b on a.ok = b.n
select a.id, b.id from {one}t a join t b on a.ok = b.s
select id from {one}t where s in (select n from t)
select id from {one}t where n in (select s from t)
select id from {one}t where d in (select n from t)
select id from {one}t where ok in (select n from t)
select ok, count(*) from {one}c group by ok
select distinct ok from {one}m
select d, count(*) from {one}t group by d
select case when ok then 'x' else d end from {one}c
select case when n = 1 then ok else n end from {one}c
select coalesce(ok, n), typeof(coalesce(ok, n)) from {one}c
select coalesce(ok, 'none') from {one}c
select ok from c union select n from c
select ok from c union all select n from c
select ok from c union select d from c
select a.id, b.ok from {one}c a left join c b on a.n = b.ok
select cast(ok as integer), cast(ok as text), cast(d as integer), cast(d as text) from {one}c
select cast(d as integer), cast(d as text), typeof(cast(d as numeric)) from {one}t
select upper(ok), ok || 'x', -ok, ok * 1.5, ok % 2, ok / 2 from {one}c
select abs(ok), length(ok), hex(ok), quote(ok) from {one}c
select quote(d), length(d), d || 'x', d + 1 from {one}t
select group_concat(ok), group_concat(d) from {one}c
select count(distinct ok), count(distinct d) from {one}t
select id from {one}c where ok between 0 and 1
select id from {one}c where ok is not null and ok <> 0
select id from {one}c where ok = n
select id from {one}c where ok < n
select id from {one}c where ok is null
select id from {one}c where ok is distinct from 1
select sum(case when ok then 1 else 0 end) from {one}c
select nullif(ok, 1), ifnull(ok, 5) from {one}c
select max(ok, 0), min(ok, n) from {one}c
select id from {one}c order by ok, id
select id from {one}c order by ok desc, id
select id from {one}c where ok in (select ok from c where id = 1)
select sum(p), avg(p), max(p), typeof(max(p)) from {one}c
select p, typeof(p), p + 1, typeof(p+1) from {one}c
select group_concat(x) from {one}t
select group_concat(p) from {one}t
select sum(s), avg(s), total(s) from {one}t
select sum(u), avg(u), total(u) from {one}t
select d, ts from {one}t order by d desc, ts, id limit 3
select ok from {one}t order by ok, d
select id, row_number() over (order by d) from {one}t order by id
select id, sum(ok) over (order by id) from {one}c order by id
select id, max(d) over () from {one}t order by id
select id from {one}t where d > 5 and d < 'x'
select id from {one}t where d = 19000 or d = '2024-03-01'
select id from {one}t where d in (19000, '2024-03-01')
select id from {one}t where d not in ('19000', 'x')
select id from {one}t where n in ('1', '2')
select id from {one}t where s in (1, 19000)
select id from {one}t where (n > 1) = 1
select id from {one}t where ok = (n > 1)
select n from t union select s from t
select s from t union select n from t
select s from t except select n from t
select d from t intersect select n from t
select case n when '1' then 'a' when 2 then 'b' end from {one}t
select case d when '19000' then 'a' when '2024-03-01' then 'b' end from {one}t
select case s when 1 then 'a' when 1.0 then 'b' end from {one}t
select id from {one}t where not (n = s)
select n = s, d = s, n <> s, d > s, s < x from {one}t order by id
select id from {one}t where s between 0 and 5
select id from {one}t where n between '0' and '5'
select id from {one}t where d between '2023' and '2025'
select id from {one}t where s > n
select id from {one}t where u = s
select id from {one}t where u = n
select id from {one}t where u > 1
select id from {one}t where u = '1'
select (select max(d) from {one}t b where b.n < a.n) from t a order by id
select a.id, (select count(*) from {one}t b where b.s = a.n) from t a order by a.id
select a.id, b.id from {one}t a join t b using (n)
select a.id, b.id from {one}t a left join c b on a.d = b.d order by 1, 2
select a.id, b.id from {one}t a left join c b on a.s = b.n order by 1, 2
select a.id, b.id from {one}t a, c b where a.s = b.n and b.ok order by 1, 2
select ok is null, ok is 1, ok is not 0 from {one}c order by id
select count(*) from {one}t where ok
select count(*) from {one}t where not ok
select count(*) from {one}t group by ok having sum(n) > 0
select ok, sum(n), avg(n), count(d) from {one}t group by ok order by ok
select d || ts, d || '', ok || '' from {one}t order by id
select max(d, ts), min(ok, n, x) from {one}t order by id
select cast(d as real), cast(ok as real), cast(ok as boolean) from {one}t
select abs(d), round(d) from {one}t
select -d, +d, ~ok from {one}t
select d like '2024%', d glob '2024*', ok like '1' from {one}t order by id
select iif(ok, d, n) from {one}t order by id
select ok and n, ok or n, not ok from {one}t order by id
select sum(distinct ok), count(distinct d) from {one}t
select x.k from (select ok as k from {one}t) x where x.k = '1'
select x.k from (select d as k from {one}t) x where x.k = '19000'
select x.k from (select ok + 1 as k from {one}t) x where x.k = '2'
select p * q, p + q, p / 2, p % 2, -p from {one}t order by id
select q || '', quote(q), q + 0 from {one}t order by id
select sum(q) from {one}t
select id from {one}t where q > 1
select id from {one}t order by q, id
select p = 1, p = '1', p = 1.0, p > '0.5' from {one}t order by id
select json_object('ok', ok, 'd', d) from {one}c order by id
with w as (select ok, d from t) select ok, count(*) from w group by ok order by ok
select id, avg(ok) over (), sum(n) over (order by d), count(*) over (partition by ok) from {one}t order by id
select id, rank() over (order by u) from {one}t order by id
select id from {one}t where d is 'x' or d is 19000
select id from {one}t where ok = 'yes' or ok = 1
select id, case when x is null then -1 else ok end, typeof(case when x is null then -1 else ok end) from {one}t
select id from {one}t where cast(-1 as numeric) >= d
select id from {one}t where q < coalesce(-1, '2024-03-01')
select id, avg(ok) over (), sum(n) over (order by d), count(*) over (partition by ok) from {one}t order by id
select id from {one}t where p in (1.0, -1, '19000')
select id, d || n, u || s || x from {one}t order by id
select id from {one}t where max(ts, s) >= case when 19000 <= 2.5 then u else ts end
select id from {one}t where id + 0 = '1'
