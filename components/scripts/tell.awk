# Of a service's slots without a running task the newest, or the one before it that tells an error; where all
# of them run, the errors of those before. Prints a task's ID, - where it has no output, and words.
BEGIN { FS = OFS = "\t" }
$1 == "task" && index($2, name ".") == 1 {
  gsub(/^"(\\")?|(\\")?"$/, "", $7)
  gsub(/\\"/, "\"", $7)
  words = $2 ($4 == "" ? "" : " on " $4) ": " $6 ($7 == "" ? "" : ": " $7)
  line = ($6 ~ /^(Failed|Starting|Running|Complete)/ ? $3 : "-") OFS "  " words
  if (!($2 in newest)) { newest[$2] = line; slots[++count] = $2; runs[$2] = $5 $6 ~ /^RunningRunning/ }
  if ($7 != "" && !($2 in error)) error[$2] = line
}
END {
  for (running = 0; running <= 1 && !shown; running++)
    for (at = 1; at <= count; at++) {
      slot = slots[at]
      line = slot in error ? error[slot] : running ? "" : newest[slot]
      if (runs[slot] == running && line != "" && shown++ < 3) print line
    }
}
