-- ./sqlline examples/packages.db -f examples/similar.sql

-- Which packages are like nginx? The ids as JSON, as datasette-faiss gives them.
select faiss_search('packages', 'embeddings',
  (select embedding from docs where title = 'nginx'), 5) as ids;

-- With scores, which are squared L2.
select faiss_search_with_scores('packages', 'embeddings',
  (select embedding from docs where title = 'nginx'), 3) as ids_and_scores;

-- As rows, to join and sort; their distance is L2, the root of the score.
select rank, name, summary, round(distance, 4) as distance
from faiss_neighbors('packages', 'embeddings',
    (select embedding from docs where title = 'nginx'), 6) n
  join packages p on p.id = n.id
order by rank;
