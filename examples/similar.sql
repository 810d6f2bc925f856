-- Which packages are like nginx? The answer as JSON, as datasette-faiss gives it.
select faiss_search('packages', 'embeddings',
  (select embedding from embeddings where id = (select id from packages where name = 'nginx')), 5) as ids;

-- The same as rows, joined with their names. The distance is the root of the squared L2.
select n."rank", p.name, p.summary, round(n.distance, 4) as distance
from table(faiss_neighbors('packages', 'embeddings',
    (select embedding from embeddings where id = (select id from packages where name = 'nginx')), 6)) as n
join packages p on p.id = n.id
order by n."rank";
