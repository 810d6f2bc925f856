#!/bin/sh
# Licensed under the Apache License, Version 2.0; see LICENSE.
#
# Makes examples/blog.db anew, on a Debian machine: a small "blog" whose entries are what Debian's changelogs say
# of well-known packages, in the tables that the README of datasette-faiss uses in its SQL.
# Needs the package sqlite3, a JDK and Maven; downloads some 30 MB of packages and installs none.
set -eu
cd "$(dirname "$0")"
database=blog.db
packages="apt bash bzip2 cron curl dnsmasq-base fail2ban fzf git-lfs grep gzip haproxy htop iproute2 iptables
  jq less logrotate lynx make man-db memcached mosquitto mutt nano nftables nmap openssh-client privoxy
  redis-tools ripgrep rsync screen sed sqlite3 squid-common strace sudo sysstat tar tcpdump tmux tor tree ufw
  unzip vim-common wget xz-utils zip zstd"

for command in sqlite3 mvn awk dpkg-deb; do
  command -v "$command" >/dev/null || { echo "build-blog: needs $command" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

echo "build-blog: downloading packages for their changelogs" >&2
# shellcheck disable=SC2086 # the names are words
(cd "$work" && apt-get -q=2 -o APT::Sandbox::User=root download $packages >&2)

# Of each package its five newest changes that say more than that there was a release.
for package in "$work"/*.deb; do
  name=$(dpkg-deb -f "$package" Package)
  dpkg-deb --fsys-tarfile "$package" \
    | tar -xO --wildcards "./usr/share/doc/$name/changelog.Debian.gz" 2>/dev/null | gzip -dc 2>/dev/null \
    | awk -v name="$name" '
      function end_of_change() {
        gsub(/[ \t]+/, " ", change); sub(/^ /, "", change)
        # What it does: not the bugs it closes, the people behind it, or the upkeep of the package.
        gsub(/ *\(([Cc]loses|LP):? *#[0-9#, ]+\)/, "", change)
        dull = change ~ /^(Non-maintainer|Team upload|QA upload|Upload|Rebuild|Bump|Set |Cherry|Import|Acknowledge|\[)/ \
          || change ~ /[Nn]ew upstream|[Tt]hanks|[Ll]intian|[Cc]opyright|[Ss]tandards|Build-Dep|B-D|d\/|debian\/|@|:$|[Cc]loses|LP:|compat level|Homepage|debcargo|http|[^ -~]/
        if (title == "" && !dull && length(change) >= 30 && length(change) <= 160) title = change
        change = ""
      }
      /^[a-z0-9]/ { version = $2; gsub(/[()]/, "", version); title = change = "" }
      /^  +[*+-] / { end_of_change(); sub(/^ +[*+-] /, ""); change = $0; next }
      /^ -- / {
        end_of_change(); date = $0; sub(/.*>  /, "", date)
        if (title != "" && n++ < 5) print date "\t" name " " version ": " title
        next
      }
      /^   / { if (change != "") change = change " " $0; next }
      { end_of_change() }' \
    || true
done > "$work/changes"

while IFS='	' read -r date title; do
  printf '%s\t%s\n' "$(date -u -d "$date" +%Y-%m-%dT%H:%M:%SZ)" "$title"
done < "$work/changes" | LC_ALL=C sort -u > "$work/entries"

rm -f "$database"
sqlite3 "$database" <<EOF
create temp table entries (created text, title text);
.mode ascii
.separator "\t" "\n"
.import --schema temp $work/entries entries
create table blog_entry (id integer primary key, title text not null, created text not null);
insert into blog_entry (title, created) select title, created from entries order by created, title;
EOF

../sqlline install-model all-minilm-l6-v2-q
../sqlline build-embeddings "$database" blog_entry id title blog_entry_embeddings --model all-minilm-l6-v2-q

sqlite3 "$database" <<'EOF'
create table embeddings (id integer primary key, embedding blob not null);
insert into embeddings select id, embedding from blog_entry_embeddings;
vacuum;
select count(*) || ' entries, ' || min(created) || ' to ' || max(created) from blog_entry;
EOF
