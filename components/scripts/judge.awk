# A line per service, then one per task, the newest of a slot first. Prints for each service that hasn't
# settled a line `waits` or `fails`, its name and why; and at last `runs` with the tasks that run.
BEGIN { FS = OFS = "\t" }
$1 == "service" { names[++count] = $2; want[$2] = $3; restart[$2] = $4; update[$2] = $5; said[$2] = $6; next }
$2 in newest { next }
{
  newest[$2] = service = $2
  sub(/[.][^.]*$/, "", service)
  state = $6
  sub(/ .*/, "", state)
  alive = $5 == "Running" || $5 == "Ready"
  if (!alive && $7 ~ /no longer meets constraints/) next  # it isn't wanted there any more
  over = !alive && (state == "Failed" || state == "Rejected")
  complete = !alive && state == "Complete" && restart[service] ~ /none|on-failure/
  if (want[service] == "global" && (alive || over || complete)) nodes[service]++
  if ($5 == "Running" && state == "Running" || complete) { have[service]++; runs = runs " " $3 }
  if (over) why[service] = ", a task failed and isn't started again"
  else if (index(failing, " " $2 " ")) why[service] = ", its tasks keep failing"
  if (alive && $7 ~ /no suitable node/) unplaced[service] = ", no suitable node for a task"
}
END {
  for (at = 1; at <= count; at++) {
    name = names[at]
    wanted = (want[name] == "global" ? nodes[name] : want[name]) + 0
    lacks = have[name] + 0 < wanted
    tasks = have[name] + 0 "/" wanted " tasks run"
    rolled_back = update[name] == "rollback_completed" && index(changed, " " name " ")
    if (update[name] ~ /paused/ || rolled_back) print "fails", name, tasks ", " update[name] ": " said[name]
    else if (lacks && name in why) print "fails", name, tasks why[name]
    else if (update[name] ~ /updating|rollback_started/)
      print "waits", name, tasks ", " update[name] unplaced[name]
    else if (lacks) print "waits", name, tasks unplaced[name]
  }
  print "runs", runs
}
