# Ends the process group $1 and removes the directory $2 as soon as standard input ends. Its only writer is the process
# that started the group: whatever that one dies of, the kernel closes its end. Nothing else may stop this shell.
trap '' HUP INT TERM
read -r _
# Again until the group is gone: a process may be joining it right now. The bound is for a machine whose first process
# does not reap the dead.
tries=0
while kill -s KILL -- "-$1" 2>/dev/null && [ "$tries" -lt 200 ]; do
    tries=$((tries + 1))
    sleep 0.02
done
if [ -n "$2" ]; then rm -rf -- "$2"; fi
