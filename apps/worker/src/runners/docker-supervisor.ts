/** Where the run folder lies in a container. */
export const runPath = '/.mycloud';

/**
 * The first program in a container, below its init: as the supervisor outside it sends the command's output to run/log and
 * its exit code to run/exit, so that nothing is lost while the worker is dead. The init hands it SIGTERM, which it passes
 * on to its process group and nothing wider. It also leaves what the kernel counted of its memory, since the container's
 * cgroup goes with it and engines are unreliable witnesses (podman's OOMKilled is always false).
 */
export const dockerScript = `
run=${runPath}
exec >>"$run/log" 2>&1 </dev/null
exec 4>&2 2>/dev/null
shell=/bin/sh; [ -x /bin/bash ] && shell=/bin/bash
trap 'trap "" TERM; kill -TERM 0' TERM
"$shell" -c "$1" 2>&4 4>&- &
child=$!
while wait "$child"; code=$?; [ "$code" -gt 128 ] && kill -0 "$child"; do :; done
# A wait that the signal broke off says 143, whatever the command ended with meanwhile: asked again it knows, or says 127.
wait "$child"; again=$?; [ "$again" -eq 127 ] || code=$again
cd /sys/fs/cgroup
for file in memory.events memory.peak memory/memory.oom_control memory/memory.max_usage_in_bytes; do
  [ -r "$file" ] && cat "$file" >"$run/\${file##*/}"
done
printf '%s\\n' "$code" >"$run/exit.tmp" && mv "$run/exit.tmp" "$run/exit"
exit "$code"
`;
