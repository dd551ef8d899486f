# Leads an instance's process group and ends it. Arguments: the instance's directory.
# Standard input is the leash: a line on it means SIGTERM to the group, its end means SIGKILL.
# Standard output is told the user data's exit code.

# The script that runs is a copy that no other process ever had open for writing: a process forked while the
# original was being written could hold it open, and then running it fails with "text file busy".
umask 077
cp "$1/user-data" "$1/.user-data"

# In the runner SIGTERM is caught, not ignored: what is ignored is inherited, what is caught is not.
(
    trap : TERM
    "$1/.user-data" </dev/null >"$1/stdout" 2>"$1/stderr"
    echo "$?"
) &

trap '' HUP INT TERM
while read -r _; do
    kill -s TERM 0
done
kill -s KILL 0
