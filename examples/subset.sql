-- ./sqlline examples/packages.db -f examples/subset.sql

-- The editors nearest to git: the aggregate sees only the rows that the filter leaves.
with nearest as (
  select faiss_agg(id, embedding, (select embedding from docs where title = 'git'), 5) as ids
  from docs
  where section = 'editors'
)
select name, summary
from nearest, json_each(nearest.ids) join packages on packages.id = value
order by key;

-- The same with scores, among the packages whose summary speaks of a server.
with nearest as (
  select faiss_agg_with_scores(d.id, d.embedding,
    (select embedding from docs where title = 'redis'), 3) as pairs
  from packages p join docs d on d.id = p.id
  where p.summary like '%server%'
)
select name, summary, json_extract(value, '$[1]') as score
from nearest, json_each(nearest.pairs)
  join packages on packages.id = json_extract(value, '$[0]')
order by key;

-- One answer for each group: the nearest to python3-numpy in the larger sections.
select section, count(*) as packages,
  faiss_agg(id, embedding, (select embedding from docs where title = 'python3-numpy'), 3) as nearest
from docs
group by section
having count(*) >= 100
order by section;
