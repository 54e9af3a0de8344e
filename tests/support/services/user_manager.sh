# A user manager of systemd with a journal and a bus, in a mount namespace of its own (`unshare -m`).
# It says `ready` when the manager answers, and ends all of it when its input ends.
#   user_manager.sh RUNTIME_DIR
set -eu
runtime=$1
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/systemd/system /run/log/journal
# An id of its own, so that journals of others are not in sight.
tr -d - < /proc/sys/kernel/random/uuid > /run/machine-id
mount --bind /run/machine-id /etc/machine-id
umount -R /sys/fs/cgroup 2>/dev/null || umount -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# As logind names it; the journal reads from it which unit has said something.
slice=/sys/fs/cgroup/user.slice/user-$$.slice
mkdir -p "$slice/user@$$.service/init.scope"
echo $$ > "$slice/user@$$.service/init.scope/cgroup.procs"
journald=/lib/systemd/systemd-journald manager=/lib/systemd/systemd
"$journald" >/dev/null 2>&1 </dev/null &
export XDG_RUNTIME_DIR=$runtime SYSTEMD_LOG_TARGET=console DBUS_SESSION_BUS_ADDRESS=unix:path=$runtime/bus
"$manager" --user > "$runtime/manager.log" 2>&1 </dev/null &
tries=0
until systemctl --user show-environment >/dev/null 2>&1 && [ -S /run/systemd/journal/stdout ]; do
  tries=$((tries + 1))
  [ $tries -lt 200 ] || { cat "$runtime/manager.log"; exit 1; }
  sleep 0.05
done
echo ready
read -r _ || true
echo $$ > /sys/fs/cgroup/cgroup.procs
echo 1 > "$slice/cgroup.kill"
kill %1 2>/dev/null || true
tries=0
until find "$slice" -depth -type d -exec rmdir {} + 2>/dev/null || [ $tries -gt 100 ]; do
  tries=$((tries + 1))
  sleep 0.05
done
