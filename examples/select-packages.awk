# Licensed under the Apache License, Version 2.0; see LICENSE.
#
# Chooses packages worth an example from Debian's lists: programs and well-used libraries, spread over the
# sections. Reads, in this order, a file of names to take in any case, the English translations (the long
# descriptions) and the Packages list; the variable `part` says which.
# Writes one line a package, tab-separated: section, score, 1 if to be taken in any case, name, summary,
# description; line ends inside a description are the character 31.

# How many each section may have; 60 where nothing is said.
BEGIN {
  split("utils 220 net 200 admin 180 devel 150 python 150 games 150 science 130 text 120 graphics 120 " \
    "sound 120 misc 90 web 100 perl 80 x11 90 libs 80 mail 80 editors 70 database 80 video 80 " \
    "gnu-r 50 lisp 40 ocaml 20 haskell 20 golang 20 rust 20 fonts 50 cli-mono 30 gnustep 30 zope 5 " \
    "libdevel 0 debug 0 oldlibs 0 tasks 0 metapackages 0 localization 0 introspection 0 doc 20 " \
    "kernel 25 otherosfs 30 hamradio 50 electronics 50", words, " ")
  for (i = 1; (i in words); i += 2) quota[words[i]] = words[i + 1]
  RS = ""; FS = "\n"
}

part == "wanted" { n = split($0, names, /[ \n]+/); for (i = 1; i <= n; i++) wanted[names[i]] = 1; next }

part == "translations" {
  md5 = ""; body = ""; inside = 0
  for (i = 1; i <= NF; i++) {
    line = $i
    if (line ~ /^Description-md5: /) { md5 = substr(line, 18); inside = 0 }
    else if (line ~ /^Description-en: /) inside = 1
    else if (inside && line ~ /^ /) {
      line = substr(line, 2)
      if (line == ".") line = ""
      body = body == "" ? line : body "\037" line
    } else inside = 0
  }
  gsub(/\t/, " ", body)
  long[md5] = body
  next
}

{
  name = section = summary = md5 = tags = needs = ""; inside = ""
  for (i = 1; i <= NF; i++) {
    line = $i
    if (line ~ /^ /) { if (inside == "Tag") tags = tags line; continue }
    colon = index(line, ": "); field = substr(line, 1, colon - 1); value = substr(line, colon + 2)
    inside = field
    if (field == "Package") name = value
    else if (field == "Section") section = value
    else if (field == "Description") summary = value
    else if (field == "Description-md5") md5 = value
    else if (field == "Tag") tags = value
    else if (field ~ /^(Depends|Recommends|Suggests)$/) needs = needs ", " value
  }
  # Who is needed by many is well known: a package counts once for each that names it first.
  n = split(needs, parts, /, */)
  for (i = 1; i <= n; i++) { split(parts[i], word, /[ :|(]/); if (word[1] != "") uses[word[1]]++ }
  if (section == "" || name in seen) next
  seen[name] = 1
  if (!(name in wanted)) {
    if ((section in quota) && quota[section] == 0) next
    if (name ~ /-(dev|doc|docs|dbg|dbgsym|data|common|examples|tests?|source|headers|plugins?|all|full|bin|utils-.*)$/) next
    if (name ~ /^(linux-|task-|education-|gir1\.2-|libghc-|librust-|golang-|aspell-|hunspell-|myspell-|hyphen-|wbrazilian|texlive-lang)/) next
    if (summary ~ /transitional|dummy|metapackage|debug|development files|\(data|documentation/) next
    if (length(long[md5]) < 150 || length(long[md5]) > 4000) next
  }
  if (long[md5] == "") next
  sections[name] = section; summaries[name] = summary; texts[name] = long[md5]
  tagged[name] = split(tags, parts, ",") + (tags ~ /role::program/ ? 8 : 0)
}

END {
  for (name in sections) {
    section = sections[name]
    score = uses[name] + 2 * tagged[name]
    printf "%s\t%d\t%d\t%d\t%s\t%s\t%s\n", section, (section in quota) ? quota[section] : 60, \
      score, (name in wanted), name, summaries[name], texts[name]
  }
}
